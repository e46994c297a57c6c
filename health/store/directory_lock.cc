#include "health/store/directory_lock.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::health {
namespace {

base::Unexpected<base::Error> system_failure(const std::string& what, int number) {
  return base::failure(what + ": " + std::generic_category().message(number));
}

// Who wrote its number into the lock file last: " (process 4711)", or nothing.
std::string holder(int descriptor) {
  std::array<char, 24> octets{};
  const ssize_t size = pread(descriptor, octets.data(), octets.size(), 0);
  std::string number;
  for (ssize_t i = 0; i < size; ++i) {
    const char octet = octets[static_cast<std::size_t>(i)];
    if (octet < '0' || octet > '9') break;
    number += octet;
  }
  return number.empty() ? "" : " (process " + number + ")";
}

}  // namespace

base::Checked<base::Done> sync_directory(const std::string& directory) {
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return system_failure(directory, errno);
  const int status = fsync(descriptor);
  const int number = errno;
  close(descriptor);
  if (status != 0) return system_failure(directory, number);
  return base::Done{};
}

base::Checked<base::Done> make_directory(const std::string& directory) {
  const auto parent = std::filesystem::path(directory).parent_path();
  std::error_code code;
  if (!parent.empty()) std::filesystem::create_directories(parent, code);
  if (code) return base::failure(parent.string() + ": " + code.message());
  if (mkdir(directory.c_str(), 0750) != 0) {
    if (errno != EEXIST) return system_failure(directory, errno);
    // open() of the lock file says so when this is not a directory.
    return base::Done{};
  }
  return sync_directory(parent.empty() ? "." : parent.string());
}

base::Checked<DirectoryLock> DirectoryLock::take(const std::string& directory) {
  const std::string path = directory + "/lock";
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (descriptor < 0) return system_failure(path, errno);
  DirectoryLock lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return system_failure(path, errno);
    return base::failure(directory + ": is in use by another sluiced" + holder(descriptor) +
                         "; two authorities can't share a store");
  }
  // The number is for people alone: the lock holds without it, so a full disk does not matter here.
  const std::string number = std::to_string(getpid()) + "\n";
  if (ftruncate(descriptor, 0) == 0) {
    [[maybe_unused]] const ssize_t written = pwrite(descriptor, number.data(), number.size(), 0);
  }
  return lock;
}

DirectoryLock::~DirectoryLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace sluice::health
