#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/clock.h"
#include "health/authority.h"
#include "health/cluster/records.h"

namespace sluice::cluster {

// Who answers by the shared state, as far as it is known: what each wrote of itself. Pure; the
// control thread owns it.
class Roster {
 public:
  struct Responder {
    ResponderRecord about;  // its name is empty until it has told
    std::string run;        // of the lease that lives; empty: it is not alive
    std::optional<ServedRecord> served;
    std::optional<base::WallTime> behind_since;  // it has not served what others have
  };

  // What a change says; false: it is of something else. `News`: it was written a moment ago.
  enum class Age : std::uint8_t { News, Listed };
  bool take(const Record& record, const base::Now& now, Age age);
  // All but what is known of clocks.
  void clear() { responders_.clear(); }
  // How far its wall clock is ahead of ours; empty: not known.
  std::optional<base::Duration> clock_offset(std::string_view name) const;

  const std::map<std::string, Responder, std::less<>>& all() const noexcept { return responders_; }
  const Responder* find(std::string_view name) const;
  bool lives(std::string_view name, std::string_view run) const;
  bool lives(std::string_view name) const;
  // The first by name of those who are alive, and the next ones: 0, 1, …; none: it is not.
  std::optional<std::size_t> rank(std::string_view name) const;

  // For acknowledgements: all that are registered. `own`: what this responder itself has served, of
  // which the others hear later.
  std::vector<health::Confirmation> confirmations(std::string_view self, std::uint64_t own) const;
  // Notes since when who is behind `publication`.
  void judge(std::uint64_t publication, base::WallTime now);

 private:
  // The last ten seconds: what is written is late when it comes, and never early.
  static constexpr std::size_t kOffsets = 10;

  std::map<std::string, Responder, std::less<>> responders_;
  std::map<std::string, std::vector<base::Duration>, std::less<>> offsets_;  // oldest first
};

}  // namespace sluice::cluster
