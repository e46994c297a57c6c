#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sluice::test {

// What systemd listens on, with an abstract name that the kernel chooses.
class Listener {
 public:
  Listener() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(sa_family_t));  // autobind
    socklen_t size = sizeof address;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    name_.assign(&address.sun_path[0], size - offsetof(sockaddr_un, sun_path));
    name_[0] = '@';
  }
  ~Listener() { close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  const std::string& name() const { return name_; }
  std::optional<std::string> next() const {
    std::array<char, 4096> text{};
    const ssize_t size = recv(fd_, text.data(), text.size(), 0);
    if (size < 0) return {};
    return std::string(text.data(), static_cast<std::size_t>(size));
  }

  // All that has come.
  std::vector<std::string> all() const {
    std::vector<std::string> messages;
    while (auto message = next()) messages.push_back(*std::move(message));
    return messages;
  }

 private:
  int fd_;
  std::string name_;
};

}  // namespace sluice::test
