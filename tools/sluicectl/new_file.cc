#include "tools/sluicectl/new_file.h"

#include <cassert>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::ctl {
namespace {

struct Free {
  void operator()(char* text) const noexcept { std::free(text); }  // NOLINT: realpath's own
};

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

NewFile::NewFile(std::string path) : path_(std::move(path)) {
  const std::unique_ptr<char, Free> real(realpath(path_.c_str(), nullptr));
  if (real) path_ = real.get();
}

NewFile::~NewFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

base::Unexpected<std::string> NewFile::failed(const char* what) const {
  return base::Unexpected{path_ + " cannot be " + what + ": " + std::strerror(errno)};
}

base::Result<base::Done, std::string> NewFile::open(mode_t mode) {
  std::string name = path_ + ".XXXXXX";
  descriptor_ = mkostemp(name.data(), O_CLOEXEC);  // of mode 0600
  if (descriptor_ < 0) return failed("written");
  temporary_ = std::move(name);
  if (fchmod(descriptor_, mode) != 0) return failed("written");
  return base::Done{};
}

base::Result<base::Done, std::string> NewFile::write(std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t written = ::write(descriptor_, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("written");
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
  return base::Done{};
}

base::Result<base::Done, std::string> NewFile::take_place(Earlier earlier) {
  assert(!temporary_.empty());
  if (fsync(descriptor_) != 0) return failed("written");
  const unsigned flags = earlier == Earlier::Keep ? RENAME_NOREPLACE : 0;
  int renamed = renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), flags);
  // Not every file system knows the flag; whoever asked looked before.
  if (renamed != 0 && errno == EINVAL) renamed = std::rename(temporary_.c_str(), path_.c_str());
  if (renamed != 0) return failed("put in place");
  temporary_.clear();
  // The name is on disk when its folder is. A folder that cannot be opened for reading keeps it
  // too, if a little later.
  const int folder = ::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return base::Done{};
  const int synced = fsync(folder);
  close(folder);
  if (synced != 0) return failed("put in place for good");
  return base::Done{};
}

}  // namespace sluice::ctl
