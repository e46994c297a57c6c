#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/base/address.h"
#include "config/base/clock.h"
#include "tools/sluicectl/lookup/message.h"

namespace sluice::ctl {

enum class Transport : std::uint8_t { Udp, Tcp };
const char* to_string(Transport transport) noexcept;

// One question to one server.
struct Lookup {
  base::SocketAddress server;
  Question question;
  Transport transport = Transport::Udp;
};

struct Reply {
  enum class Kind : std::uint8_t {
    Answered,
    NoAnswer,     // nothing came in time, tries included
    Unreachable,  // the network or the host says so
    Malformed,    // octets came that are no message
    NotAsked,     // the question could not be sent
  };
  Kind kind = Kind::NotAsked;
  Message message;         // of an answer
  std::string text;        // else: why not
  base::Duration took{0};  // of an answer
};

struct LookupLimits {
  // A datagram may be lost: three tries, as resolvers do. A second is four times the longest way
  // around the world.
  base::Duration try_limit = std::chrono::seconds(1);
  unsigned tries = 3;
  base::Duration tcp_limit = std::chrono::seconds(3);  // from the first SYN to the last octet
  // Sockets at once: below what a process may have open everywhere (1,024), and what a responder
  // takes from one client without noticing.
  std::size_t at_once = 200;
};

// Asks all of them side by side, in one thread, and returns the replies in the same order: in time
// whatever the servers do, at most tries * try_limit for each `at_once` of them.
std::vector<Reply> look_up(std::span<const Lookup> lookups, const base::Clock& clock,
                           const LookupLimits& limits = {});

}  // namespace sluice::ctl
