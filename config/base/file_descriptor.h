#pragma once

#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace sluice::base {

// Owner of an open file descriptor. When libuv polls it, the poll handle must be closed first:
// declare it after its FileDescriptor.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const noexcept { return fd_; }
  bool is_open() const noexcept { return fd_ >= 0; }
  // Whose it is from now on must close it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  // Another descriptor of the same open file; not open when the process may have no more of them.
  FileDescriptor duplicate() const noexcept {
    return FileDescriptor(::fcntl(fd_, F_DUPFD_CLOEXEC, 0));
  }

 private:
  int fd_ = -1;
};

}  // namespace sluice::base
