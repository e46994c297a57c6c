#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/base/address.h"
#include "config/base/file_descriptor.h"

// Plain blocking sockets to ask a server with, as a client would.
namespace sluice::dns::test {

using Octets = std::vector<std::uint8_t>;

// With its length before it, as over TCP.
inline Octets framed(const Octets& message) {
  Octets frame{static_cast<std::uint8_t>(message.size() >> 8),
               static_cast<std::uint8_t>(message.size() & 0xFF)};
  frame.insert(frame.end(), message.begin(), message.end());
  return frame;
}

inline base::FileDescriptor make_socket(const base::SocketAddress& server, int type) {
  base::FileDescriptor fd(
      ::socket(server.address.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) throw std::runtime_error("no socket");
  // What does not come within ten seconds does not come: no test hangs.
  const timeval patience{10, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return fd;
}

inline void connect_to(const base::FileDescriptor& fd, const base::SocketAddress& server) {
  sockaddr_storage storage{};
  const socklen_t length = server.to(storage);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
    throw std::runtime_error("no connection");
  }
}

class UdpClient {
 public:
  explicit UdpClient(const base::SocketAddress& server) : fd_(make_socket(server, SOCK_DGRAM)) {
    connect_to(fd_, server);  // answers from elsewhere are not seen
  }
  int fd() const { return fd_.get(); }

  void send(const Octets& message) { ::send(fd_.get(), message.data(), message.size(), 0); }
  std::optional<Octets> receive() {
    Octets answer(65'536);
    const ssize_t size = ::recv(fd_.get(), answer.data(), answer.size(), 0);
    if (size < 0) return std::nullopt;
    answer.resize(static_cast<std::size_t>(size));
    return answer;
  }
  std::optional<Octets> ask(const Octets& message) {
    send(message);
    return receive();
  }

 private:
  base::FileDescriptor fd_;
};

class TcpClient {
 public:
  // `window`: octets of the receive buffer, for a client that reads slowly; 0: as usual.
  explicit TcpClient(const base::SocketAddress& server, int window = 0)
      : fd_(make_socket(server, SOCK_STREAM)) {
    if (window > 0) ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
    connect_to(fd_, server);
  }
  int fd() const { return fd_.get(); }

  // False when the server has gone.
  bool send(std::span<const std::uint8_t> octets) {
    while (!octets.empty()) {
      const ssize_t sent = ::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      octets = octets.subspan(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // As many octets as there is room for at once; 0: none.
  std::size_t send_at_once(std::span<const std::uint8_t> octets) {
    const ssize_t sent =
        ::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? static_cast<std::size_t>(sent) : 0;
  }
  void end_sending() { ::shutdown(fd_.get(), SHUT_WR); }

  // The next message without its length; nothing when the connection ended before or in it.
  std::optional<Octets> receive() {
    Octets length(2);
    if (!fill(length)) return std::nullopt;
    Octets message(static_cast<std::size_t>(length[0] << 8 | length[1]));
    if (!fill(message)) return std::nullopt;
    return message;
  }
  // The server closed, orderly or not, with nothing left to read.
  bool ended() {
    std::uint8_t octet = 0;
    const ssize_t size = ::recv(fd_.get(), &octet, 1, 0);
    return size == 0 || (size < 0 && errno == ECONNRESET);
  }
  std::optional<Octets> ask(const Octets& message) {
    if (!send(framed(message))) return std::nullopt;
    return receive();
  }

 private:
  bool fill(std::span<std::uint8_t> octets) {
    while (!octets.empty()) {
      const ssize_t size = ::recv(fd_.get(), octets.data(), octets.size(), 0);
      if (size <= 0) return false;
      octets = octets.subspan(static_cast<std::size_t>(size));
    }
    return true;
  }

  base::FileDescriptor fd_;
};

inline base::SocketAddress loopback(std::uint16_t port = 0) {
  return {base::IpAddress::v4({127, 0, 0, 1}), port};
}

}  // namespace sluice::dns::test
