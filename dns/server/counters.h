#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "dns/answer/count.h"
#include "dns/answer/respond.h"
#include "dns/wire/types.h"

namespace sluice::dns {

// What one worker counted, or all of them together. They only grow.
struct Counters {
  static constexpr std::size_t kTransports = 2;
  // RCODEs up to BADCOOKIE (23); the last place is for those beyond.
  static constexpr std::size_t kRcodes = 25;

  // Answers that the kernel took.
  std::array<std::array<std::uint64_t, kRcodes>, kTransports> answers{};
  std::uint64_t truncated = 0;        // of these: with TC, over UDP
  std::uint64_t silent = 0;           // messages that deserve no answer (a response, a scrap)
  std::uint64_t limited_dropped = 0;  // answers that the rate limit kept back
  std::uint64_t limited_slipped = 0;  // and those that it made empty and truncated
  std::uint64_t udp_received = 0;     // datagrams
  std::uint64_t udp_batches = 0;      // receive calls that brought any
  std::uint64_t udp_dropped = 0;      // answers lost, for the interface was slower than we
  std::uint64_t udp_send_errors = 0;  // answers that the kernel refused (no route, source port 0)
  std::uint64_t udp_overflow = 0;     // queries lost, for a receive buffer was full
  std::uint64_t receive_errors = 0;   // of receive and poll calls, UDP and TCP listeners
  std::uint64_t tcp_accepted = 0;
  std::uint64_t tcp_closed = 0;         // for any reason
  std::uint64_t tcp_timed_out = 0;      // of these: idle, half a message, or not reading
  std::uint64_t tcp_evicted = 0;        // of these: to make room for a new client
  std::uint64_t tcp_accept_errors = 0;  // for want of descriptors or memory
  std::uint64_t tcp_accept_paused = 0;  // times that a listener stopped for it: nobody gave way
  std::uint64_t tcp_accept_resumed = 0;

  std::uint64_t by(Transport transport, Rcode rcode) const noexcept {
    return answers[static_cast<std::size_t>(transport)][place_of(rcode)];
  }
  // Counted by their threads at moments of their own: an end may be seen before its beginning.
  std::uint64_t tcp_listeners_paused() const noexcept {
    return tcp_accept_paused - std::min(tcp_accept_paused, tcp_accept_resumed);
  }
  static constexpr std::size_t place_of(Rcode rcode) noexcept {
    return std::min(static_cast<std::size_t>(rcode), kRcodes - 1);
  }

  Counters& operator+=(const Counters& other) noexcept;
};

// A worker's own, on cache lines that no other worker writes (128: x86 fetches lines in pairs).
struct alignas(128) WorkerCounters {
  std::array<std::array<Count, Counters::kRcodes>, Counters::kTransports> answers;
  Count truncated, silent, limited_dropped, limited_slipped;
  Count udp_received, udp_batches, udp_dropped, udp_send_errors, receive_errors;
  Count tcp_accepted, tcp_closed, tcp_timed_out, tcp_evicted, tcp_accept_errors;
  Count tcp_accept_paused, tcp_accept_resumed;

  void answered(Transport transport, Rcode rcode) noexcept {
    answers[static_cast<std::size_t>(transport)][Counters::place_of(rcode)].add();
  }
  Counters read() const noexcept;  // any thread; the counts are not of one moment
};

}  // namespace sluice::dns
