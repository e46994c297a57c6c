#pragma once

#include <cstdint>

#include "config/base/clock.h"

namespace sluice {

// Who is turned away while memory is short; each with those before. DNS over UDP never is, nor are
// the heartbeats of agents and whoever comes by the unix socket.
enum class Shedding : std::uint8_t {
  Nobody,
  Readers,     // of the API: they ask again later, and nothing depends on it
  TcpClients,  // of DNS as well: most resolvers ask over UDP first
};

// Decides by the memory that is resident. Pure.
//
// Sheds at once, in steps, and takes back late: what is freed by turning clients away would be
// taken by the same clients again.
class MemoryWatch {
 public:
  // Octets; 0: there is no limit, and nobody is ever turned away.
  void set_limit(std::uint64_t limit) noexcept { limit_ = limit; }
  std::uint64_t limit() const noexcept { return limit_; }

  // What is to be done from now on. Asked some times a second.
  Shedding look(std::uint64_t resident, base::MonoTime now) noexcept;
  Shedding shedding() const noexcept { return shedding_; }

 private:
  std::uint64_t limit_ = 0;
  Shedding shedding_ = Shedding::Nobody;
  base::MonoTime needed_{};  // when the present step was needed last
};

}  // namespace sluice
