#pragma once

#include <cstddef>
#include <map>

#include "config/base/address.h"

// Clients by where they come from. Pure.
namespace sluice::health {

// What counts as one address: an IPv6 client has a /64 at least (RFC 6177) and may use a new
// address of it for each connection.
base::IpAddress address_block(const base::IpAddress& address) noexcept;

// How many connections each has. As large as the connections are many.
class ConnectionCounts {
 public:
  // Whether one more stays within `most`; then it is counted.
  bool enter(const base::IpAddress& address, std::size_t most);
  // After enter() of it.
  void leave(const base::IpAddress& address);

 private:
  std::map<base::IpAddress, std::size_t> counts_;  // by block
};

}  // namespace sluice::health
