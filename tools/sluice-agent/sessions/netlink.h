#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "config/base/file_descriptor.h"
#include "config/base/result.h"

namespace sluice::agent {

// Questions to the kernel over netlink(7) and its answers, of whatever family of sockets. Errors
// are those of errno(3).

// A request: header, the family's own header, attributes.
class NetlinkRequest {
 public:
  NetlinkRequest(std::uint16_t type, std::uint16_t flags);

  // The family's own header, before any attribute.
  template <class Header>
  void header(const Header& header) {
    append({reinterpret_cast<const std::uint8_t*>(&header), sizeof header});
  }
  void attribute(std::uint16_t type, std::span<const std::uint8_t> value);
  template <class Number>
  void number(std::uint16_t type, Number value) {  // in the byte order of the machine
    attribute(type, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  }
  // What is appended between the two is inside the attribute. `begin` is what begin_nest() gave.
  std::size_t begin_nest(std::uint16_t type);
  void end_nest(std::size_t begin);

  // The whole of it, its length filled in.
  std::span<const std::uint8_t> octets();

 private:
  void append(std::span<const std::uint8_t> octets);

  std::vector<std::uint8_t> octets_;
};

// One message or attribute of an answer. What does not fit in what came ends the reading.
struct NetlinkPart {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;  // of a message
  std::span<const std::uint8_t> body;

  // The number that stands at the start of the body, in the byte order of the machine.
  template <class Number>
  std::optional<Number> start() const {
    if (body.size() < sizeof(Number)) return {};
    Number number{};
    std::memcpy(&number, body.data(), sizeof number);
    return number;
  }
};
// Takes the first one off; nothing at the end.
std::optional<NetlinkPart> next_message(std::span<const std::uint8_t>& datagram);
std::optional<NetlinkPart> next_attribute(std::span<const std::uint8_t>& attributes);

// Whether the message ends an answer, and with which error; 0: none.
std::optional<int> end_of_answer(const NetlinkPart& message);

// A socket of its own for each question: what is left of an answer is not taken for the next one's.
class NetlinkQuestion {
 public:
  // The kernel fills at most 32 KiB a datagram (netlink_dump, net/netlink/af_netlink.c).
  static constexpr std::size_t kReceiveBuffer = 32'768;

  static base::Result<NetlinkQuestion, int> ask(int family, NetlinkRequest& request);

  // The next datagram of the answer, in `buffer`; EAGAIN when there is none yet: the kernel
  // prepares the first within ask() and each other one as its predecessor is read.
  base::Result<std::span<const std::uint8_t>, int> receive(std::span<std::uint8_t> buffer) const;
  int fd() const noexcept { return socket_.get(); }

 private:
  explicit NetlinkQuestion(base::FileDescriptor socket) : socket_(std::move(socket)) {}

  base::FileDescriptor socket_;
};

}  // namespace sluice::agent
