#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "config/base/clock.h"

namespace sluice::health {

// Which refusals are worth an event: of those that are alike, one a minute. Pure, bounded whoever
// asks how often.
class RefusalLog {
 public:
  struct Kind {
    std::string server;
    std::string service;
    std::string by;
    std::string rule;
    friend auto operator<=>(const Kind&, const Kind&) = default;
  };

  // Another refusal of this kind. The number of those that were passed over since it was told last;
  // nothing: this one is passed over too.
  std::optional<std::uint64_t> note(const Kind& kind, base::MonoTime now);

 private:
  struct Told {
    base::MonoTime at;
    std::uint64_t since = 0;
  };
  std::map<Kind, Told> told_;
};

}  // namespace sluice::health
