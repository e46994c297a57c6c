#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <netinet/in.h>

#include "config/base/file_descriptor.h"

namespace sluice::dns {

// A TCP session between two calls, without the worker that served it: what another worker, of this
// process or of the one that takes its place, goes on with.
//
// What the client sent and nobody read is still in the socket. The publication that the rest was
// rendered by is unknown to whoever goes on, so that it counts as replaced (semantics.md section
// 5): of an answer of which the kernel has an octet the rest is sent, and any other ends the
// session.
struct SuspendedSession {
  base::FileDescriptor fd;
  sockaddr_in6 client{};              // or a sockaddr_in
  std::vector<std::uint8_t> waiting;  // queries not answered yet, the last perhaps not whole
  std::vector<std::uint8_t> rest;     // of an answer that the kernel took in part, with its length
  std::size_t message_octets = 0;     // of that whole answer, without the length

  // Whether a session could have been left like this; who takes it from elsewhere asks.
  bool is_sound() const noexcept;
};

}  // namespace sluice::dns
