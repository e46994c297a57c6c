#include "tools/sluicectl/roll/journal_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/sluicectl/new_file.h"

namespace sluice::ctl::rolling {
namespace {

// The specification has relative paths ignored.
std::string absolute_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && value[0] == '/' ? value : "";
}

// A pool's name is the user's word: no part of it may lead elsewhere.
std::string file_name(const std::string& pool) {
  std::string name = "roll-" + pool + ".json";
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
}

base::Unexpected<std::string> failed(const std::string& path, const char* what) {
  return base::Unexpected{path + " cannot be " + what + ": " + std::strerror(errno)};
}

// Whether the file that is open still has its name: who held the lock before may have removed it.
bool still_there(int descriptor, const std::string& path) {
  struct stat ours {};
  struct stat theirs {};
  return fstat(descriptor, &ours) == 0 && stat(path.c_str(), &theirs) == 0 &&
         ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

}  // namespace

base::Result<std::string, std::string> journal_path(const std::string& pool) {
  std::string folder = absolute_environment("XDG_STATE_HOME");
  if (folder.empty()) {
    folder = absolute_environment("HOME");
    if (folder.empty()) {
      return base::Unexpected<std::string>{
          "neither XDG_STATE_HOME nor HOME says where to keep what is done: use --state FILE"};
    }
    folder += "/.local/state";
  }
  return folder + "/sluice/" + file_name(pool);
}

JournalFile::~JournalFile() {
  if (lock_ < 0) return;
  unlink(lock_path().c_str());  // while it is held
  close(lock_);
}

base::Result<base::Done, std::string> JournalFile::lock() {
  std::error_code error;
  const auto folder = std::filesystem::path(path_).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) return base::Unexpected{folder.string() + " cannot be made: " + error.message()};
  while (true) {
    const int opened = open(lock_path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (opened < 0) return failed(lock_path(), "opened");
    if (flock(opened, LOCK_EX | LOCK_NB) != 0) {
      close(opened);
      return base::Unexpected{"another roll is under way: it has " + lock_path()};
    }
    if (still_there(opened, lock_path())) {
      lock_ = opened;
      return base::Done{};
    }
    close(opened);
  }
}

base::Result<std::optional<Journal>, std::string> JournalFile::load() const {
  const int opened = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0 && errno == ENOENT) return std::optional<Journal>{};
  if (opened < 0) return failed(path_, "read");
  std::string text;
  std::array<char, 65'536> piece{};
  ssize_t size = 0;
  while ((size = read(opened, piece.data(), piece.size())) > 0) {
    text.append(piece.data(), static_cast<std::size_t>(size));
  }
  close(opened);
  if (size < 0) return failed(path_, "read");
  auto journal = parse_journal(text);
  if (!journal) return base::Unexpected{path_ + " is not a roll's: " + journal.error()};
  return std::optional<Journal>(*std::move(journal));
}

base::Result<base::Done, std::string> JournalFile::store(const Journal& journal) {
  NewFile file(path_);
  if (auto opened = file.open(); !opened) return opened;
  if (auto written = file.write(to_text(journal)); !written) return written;
  return file.take_place(NewFile::Earlier::Replace);
}

void JournalFile::remove() {
  unlink(path_.c_str());
}

}  // namespace sluice::ctl::rolling
