#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

// What the programs share that press on a responder where Python is too slow: a question's octets,
// sockets towards 127.0.0.1, an end that says why.
namespace sluice::flood {

// The words, and what errno has to say.
[[noreturn]] inline void die(const std::string& what) {
  std::fprintf(stderr, "%s: %s (%s)\n", program_invocation_short_name, what.c_str(),
               std::strerror(errno));
  std::exit(1);
}

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A socket of that type (SOCK_NONBLOCK and others may be added) that has begun to connect; -1:
// nobody listens. errno says EINPROGRESS of one that does not wait.
inline int try_connect(std::uint16_t port, int type, int receive_buffer = 0) {
  const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  if (receive_buffer > 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EINPROGRESS) {
    return fd;
  }
  ::close(fd);
  return -1;
}

inline int connect_to(std::uint16_t port, int type, int receive_buffer = 0) {
  const int fd = try_connect(port, type, receive_buffer);
  if (fd < 0) die("connect to port " + std::to_string(port));
  return fd;
}

inline void send_at_once(int tcp) {
  const int on = 1;
  ::setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// The question section's only entry, class IN (RFC 1035 section 4.1.2).
inline std::string question(std::string_view name, std::uint16_t type) {
  std::string wire;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    wire += static_cast<char>(label.size());
    wire += label;
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  wire += '\0';
  return wire + std::string{static_cast<char>(type >> 8), static_cast<char>(type & 0xff), '\0', 1};
}

// REQUIRES: two octets are there.
inline std::uint16_t u16(std::string_view octets, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(octets[at]) << 8 |
                                    static_cast<unsigned char>(octets[at + 1]));
}

inline void put_id(std::string& message, unsigned id) {
  message[0] = static_cast<char>(id >> 8);
  message[1] = static_cast<char>(id & 0xff);
}

// With its length before it, as over TCP.
inline std::string framed(const std::string& message) {
  const std::size_t size = message.size();
  return std::string{static_cast<char>(size >> 8), static_cast<char>(size & 0xff)} + message;
}

}  // namespace sluice::flood
