#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <sys/socket.h>

#include "config/base/clock.h"
#include "dns/answer/serving.h"
#include "dns/wire/types.h"
#include "health/snapshot.h"

namespace sluice::dns {

enum class Transport : std::uint8_t { Udp, Tcp };

// What an answer depends on besides the octets and the snapshot.
struct QueryContext {
  Transport transport = Transport::Udp;
  std::uint16_t max_udp_payload = 1232;  // octets, 512..4096: the most that is sent over UDP
  // Where rotated RRsets begin; the worker counts it up from one query to the next.
  std::uint64_t rotation = 0;
  // What chance decides, it decides by (seed, rotation): see Random.
  std::uint64_t seed = 0;
  // Seconds since 1970, modulo 2^32, as of the batch.
  std::uint32_t now = 0;
  // The time of the batch that TTLs count down by; read where ServingSnapshot::counts_down().
  base::MonoTime mono{};
  // After how long without a query a TCP connection ends, in units of 100 ms (RFC 7828
  // section 3.1).
  std::uint16_t tcp_idle = 100;
  // Where the query came from; sockaddr_in or sockaddr_in6.
  const sockaddr* client = nullptr;
};

// 16 octets: it comes back in two registers.
struct Answered {
  // What `about` is for a client that has shown its address by a cookie.
  static constexpr std::uint32_t kKnownClient = UINT32_MAX;

  static constexpr health::AnswerSetId kNoAnswerSet = UINT32_MAX;

  std::uint32_t size = 0;  // octets written; 0: silence
  Rcode rcode = Rcode::NoError;
  std::uint16_t opt_octets = 0;  // of these: the OPT record, which is the last
  // The name that answered, by the zone set's numbers: the wildcard's, the zone cut's or the
  // closest encloser's, whatever name below was asked for. For rate limiting.
  std::uint32_t about = 0;
  // Which answer set gave the answer, NODATA of a type that it might have included.
  health::AnswerSetId answer_set = kNoAnswerSet;
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
