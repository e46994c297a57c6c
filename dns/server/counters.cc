#include "dns/server/counters.h"

namespace sluice::dns {

Counters& Counters::operator+=(const Counters& other) noexcept {
  for (std::size_t transport = 0; transport < kTransports; ++transport) {
    for (std::size_t rcode = 0; rcode < kRcodes; ++rcode) {
      answers[transport][rcode] += other.answers[transport][rcode];
    }
  }
  truncated += other.truncated;
  silent += other.silent;
  limited_dropped += other.limited_dropped;
  limited_slipped += other.limited_slipped;
  udp_received += other.udp_received;
  udp_batches += other.udp_batches;
  udp_dropped += other.udp_dropped;
  udp_send_errors += other.udp_send_errors;
  udp_overflow += other.udp_overflow;
  receive_errors += other.receive_errors;
  tcp_accepted += other.tcp_accepted;
  tcp_closed += other.tcp_closed;
  tcp_timed_out += other.tcp_timed_out;
  tcp_evicted += other.tcp_evicted;
  tcp_accept_errors += other.tcp_accept_errors;
  tcp_accept_paused += other.tcp_accept_paused;
  tcp_accept_resumed += other.tcp_accept_resumed;
  return *this;
}

Counters WorkerCounters::read() const noexcept {
  Counters counters;
  for (std::size_t transport = 0; transport < Counters::kTransports; ++transport) {
    for (std::size_t rcode = 0; rcode < Counters::kRcodes; ++rcode) {
      counters.answers[transport][rcode] = answers[transport][rcode].get();
    }
  }
  counters.truncated = truncated.get();
  counters.silent = silent.get();
  counters.limited_dropped = limited_dropped.get();
  counters.limited_slipped = limited_slipped.get();
  counters.udp_received = udp_received.get();
  counters.udp_batches = udp_batches.get();
  counters.udp_dropped = udp_dropped.get();
  counters.udp_send_errors = udp_send_errors.get();
  counters.receive_errors = receive_errors.get();
  counters.tcp_accepted = tcp_accepted.get();
  counters.tcp_closed = tcp_closed.get();
  counters.tcp_timed_out = tcp_timed_out.get();
  counters.tcp_evicted = tcp_evicted.get();
  counters.tcp_accept_errors = tcp_accept_errors.get();
  counters.tcp_accept_paused = tcp_accept_paused.get();
  counters.tcp_accept_resumed = tcp_accept_resumed.get();
  return counters;
}

}  // namespace sluice::dns
