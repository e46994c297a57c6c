#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "config/base/clock.h"

namespace sluice::health {

// Whose turn it is to have its TLS handshake worked on. A handshake costs some hundred times what a
// request does, and ten thousand agents may want one at the same moment. Pure; one thread.
//
// A connection is nobody here until it has sent something. From then on it waits for a place, first
// come first served; with a place it waits for its turn each time when more of it has come, before
// those that have no place yet. Who has had a place for longer than `patience` and is not done
// gives way when somebody waits.
class HandshakeQueue {
 public:
  using Id = std::uint64_t;  // of a connection; never used twice

  struct Limits {
    // Handshakes under way. Each takes 45 kB, so that all of them take 23 MB; and with clients that
    // are 100 ms away 512 places are good for 5,000 handshakes a second, more than a CPU does.
    std::size_t places = 512;
    // An answer to one client, with a signature, costs 0.2 ms (ECDSA) to 2 ms (RSA of 3072 bits):
    // so many of them keep everybody else of the thread waiting for less than 10 ms.
    std::size_t turns = 4;
    // Of a handshake the client's part is one or two ways there and back. With so much for each,
    // somebody who fills all places and says no more leaves 512 handshakes a second to the others.
    std::chrono::milliseconds patience{1'000};
  };

  explicit HandshakeQueue(const Limits& limits) : limits_(limits) {}

  // Something has come for its handshake.
  void ready(Id id);
  // Its handshake is over, well or not, or it is gone. Unknown ones are none of ours.
  void forget(Id id);

  // Whose turn is next; nothing: nobody's. It has a place from then on.
  std::optional<Id> next(base::MonoTime now);
  // Who must go so that somebody who waits has its place; nothing: nobody. forget() follows.
  std::optional<Id> gives_way(base::MonoTime now) const;
  // When somebody will have to go, if all stays as it is.
  std::optional<base::MonoTime> gives_way_at() const;

  std::size_t under_way() const noexcept { return under_way_; }
  // Without a place.
  std::size_t waiting() const noexcept { return known_.size() - under_way_; }
  std::size_t turns() const noexcept { return limits_.turns; }

 private:
  struct Known {
    bool has_place = false;
    bool is_ready = false;   // in a queue
    base::MonoTime since{};  // has its place
  };

  // The first in the queue that is still to be served there.
  std::optional<Id> first(std::deque<Id>& queue, bool with_place);

  const Limits limits_;
  std::unordered_map<Id, Known> known_;
  std::size_t under_way_ = 0;
  // Whoever is forgotten meanwhile is passed over when it comes to the front.
  std::deque<Id> going_on_;  // have a place
  std::deque<Id> new_;       // have none
  std::deque<Id> placed_;    // in the order in which they got their places
};

}  // namespace sluice::health
