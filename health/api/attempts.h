#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "config/base/address.h"
#include "config/base/clock.h"

namespace sluice::health {

// How many failed authentications an address may have before its tokens are not even looked at: a
// bucket for each address, of IPv6 for each /64. Pure; one thread.
//
// What it must not become is a weapon: memory does not grow with addresses, and nobody is kept out
// by what others do at theirs. So the table has a fixed size, and an address for which it has no
// room is let in: the place that is taken is that of whoever would be forgiven soonest. Who has
// more addresses than there are places guesses as often as without a table, and no more: a token
// has 256 bits, and what is bounded here is the work and the noise of one careless or hostile host.
class Attempts {
 public:
  // A host that comes up with the wrong files has a few agents and tools that try.
  static constexpr int kBurst = 20;
  // Then one a second: whoever corrects his token waits for no longer than he notices.
  static constexpr base::Duration kRefill{1'000};
  // 32 octets each: 128 KiB. In sets of eight, so that a look costs one line of cache or four.
  static constexpr std::size_t kPlaces = 4'096;

  Attempts() : places_(kPlaces) {}

  // How long until a token of this address is looked at again; nothing: now.
  std::optional<base::Duration> wait(const base::IpAddress& address, base::MonoTime now) const;
  // One has failed.
  void failed(const base::IpAddress& address, base::MonoTime now);

 private:
  // A bucket as the time at which it is full again: the past means that it is.
  struct Place {
    base::IpAddress address;
    base::MonoTime full;
  };
  std::size_t set_of(const base::IpAddress& block) const noexcept;

  std::vector<Place> places_;
};

}  // namespace sluice::health
