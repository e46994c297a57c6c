#pragma once

#include <cstdint>
#include <span>

#include "dns/answer/serving.h"
#include "dns/wire/types.h"

namespace sluice::dns {

enum class Transport : std::uint8_t { Udp, Tcp };

// What an answer depends on besides the octets and the snapshot.
struct QueryContext {
  Transport transport = Transport::Udp;
  std::uint16_t max_udp_payload = 1232;  // octets, 512..4096: the most that is sent over UDP
  // Where rotated RRsets begin; the worker counts it up from one query to the next.
  std::uint32_t rotation = 0;
};

struct Answered {
  std::size_t size = 0;  // octets written; 0: silence
  Rcode rcode = Rcode::NoError;
};

// The largest DNS message (RFC 1035 section 4.2.2), and so what `answer` has room for over TCP.
inline constexpr std::size_t kMaxMessageOctets = 65'535;

// Octets in, octets out: one DNS message without TCP's length. Pure: no lock, allocation, system
// call or log; any thread with a snapshot of its own. Over UDP an answer never exceeds
// min(client's payload size, context.max_udp_payload), `answer` must have room for that; over TCP
// for kMaxMessageOctets.
Answered respond(const ServingSnapshot& snapshot, const QueryContext& context,
                 std::span<const std::uint8_t> query, std::span<std::uint8_t> answer) noexcept;

}  // namespace sluice::dns
