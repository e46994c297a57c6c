#include "health/api/address_block.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>

namespace sluice::health {

base::IpAddress address_block(const base::IpAddress& address) noexcept {
  if (address.is_v4()) return address;
  std::array<std::uint8_t, 16> octets{};
  constexpr std::size_t kPrefixOctets = 8;
  std::copy_n(address.octets().begin(), kPrefixOctets, octets.begin());
  return base::IpAddress::v6(octets);
}

bool ConnectionCounts::enter(const base::IpAddress& address, std::size_t most) {
  std::size_t& count = counts_[address_block(address)];
  const bool room = count < most;
  if (room) ++count;
  if (count == 0) counts_.erase(address_block(address));
  return room;
}

void ConnectionCounts::leave(const base::IpAddress& address) {
  const auto found = counts_.find(address_block(address));
  assert(found != counts_.end());
  if (--found->second == 0) counts_.erase(found);
}

}  // namespace sluice::health
