#pragma once

#include <optional>

#include "config/base/packed_text.h"
#include "health/heartbeat.h"

namespace sluice::health {

// The counters of one service, or none (not known), in one allocation: a map takes four times as
// much. Pure.
class PackedSessions {
 public:
  PackedSessions& operator=(const std::optional<Sessions>& sessions);

  operator std::optional<Sessions>() const;

 private:
  // Of each counter: the length of its name, the name, its value. Empty: nothing to count.
  base::PackedText octets_;
};

}  // namespace sluice::health
