#include "health/api/attempts.h"

#include <algorithm>

#include "config/base/fnv.h"
#include "health/api/address_block.h"

namespace sluice::health {
namespace {

constexpr std::size_t kWays = 8;

}  // namespace

// An attacker may choose addresses of one set: they forgive each other, and harm nobody.
std::size_t Attempts::set_of(const base::IpAddress& block) const noexcept {
  base::Fnv1a hash;
  for (const std::uint8_t octet : block.octets()) hash.add(octet);
  return (hash.value() % (kPlaces / kWays)) * kWays;
}

std::optional<base::Duration> Attempts::wait(const base::IpAddress& address,
                                             base::MonoTime now) const {
  const base::IpAddress block = address_block(address);
  const std::size_t first = set_of(block);
  for (std::size_t at = first; at < first + kWays; ++at) {
    const Place& place = places_[at];
    if (place.address != block) continue;
    const base::MonoTime one_left = now + (kBurst - 1) * kRefill;
    if (place.full > one_left) return std::chrono::ceil<base::Duration>(place.full - one_left);
    return {};
  }
  return {};
}

void Attempts::failed(const base::IpAddress& address, base::MonoTime now) {
  const base::IpAddress block = address_block(address);
  const auto first = places_.begin() + static_cast<std::ptrdiff_t>(set_of(block));
  const auto last = first + kWays;
  auto place = std::find_if(first, last, [&](const Place& p) { return p.address == block; });
  if (place == last) {
    place = std::min_element(first, last,
                             [](const Place& a, const Place& b) { return a.full < b.full; });
    *place = {block, now};
  }
  // Never emptier than empty: those who were let in may fail unasked (dispatch.cc), and what they
  // do must not keep others of their address waiting for longer than one try takes.
  place->full = std::min(std::max(place->full, now) + kRefill, now + kBurst * kRefill);
}

}  // namespace sluice::health
