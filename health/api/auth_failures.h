#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/clock.h"
#include "health/api/auth.h"
#include "health/event.h"

namespace sluice::health {

// Tokens that were not known, counted for each address and minute, so that whoever guesses them
// costs a few lines of the audit a minute and no more. Pure; one thread.
class AuthFailures {
 public:
  // For the metrics page.
  void count(AuthFailure reason) { ++by_reason_[static_cast<std::size_t>(reason)]; }
  // Appends sluice_api_authentication_failures_total{reason}.
  void append_to(std::string& page) const;

  // Beyond these addresses in a minute the rest are counted together: who has so many has any
  // number, and 64 say where from. At 65 entries a minute an audit grows by some 20 MB a day.
  static constexpr std::size_t kAddresses = 64;
  static constexpr base::Duration kMinute{60'000};

  // One that counts as an attempt. `peer`: "192.0.2.1@40000"; the port does not count.
  void record(std::string_view peer, base::MonoTime now);

  // An event for each address whose minute is over by now; its minute began with its first failure.
  std::vector<Event> take_due(base::Now now);
  // For all that are left, at the end of the program.
  std::vector<Event> take_all(base::Now now);

  bool empty() const noexcept { return counts_.empty() && !rest_; }

 private:
  struct Count {
    base::MonoTime since;
    std::uint64_t failures = 0;
  };

  std::map<std::string, Count, std::less<>> counts_;  // by address
  std::optional<Count> rest_;
  std::array<std::uint64_t, kAuthFailures> by_reason_{};
};

}  // namespace sluice::health
