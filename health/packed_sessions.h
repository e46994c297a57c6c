#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "config/base/packed_text.h"
#include "health/heartbeat.h"

namespace sluice::health {

// The counters of one service, or none (not known), in one allocation: a map takes four times as
// much. Pure.
class PackedSessions {
 public:
  PackedSessions& operator=(const std::optional<Sessions>& sessions);

  operator std::optional<Sessions>() const;

  // Calls `counter(name, value)` for each, by name; for none when they are not known.
  template <class Counter>
  void each(Counter&& counter) const {
    if (!octets_) return;
    for (std::string_view octets = *octets_; !octets.empty();) {
      const auto size = take<std::uint32_t>(octets);
      const std::string_view name = octets.substr(0, size);
      octets.remove_prefix(size);
      counter(name, take<std::uint64_t>(octets));
    }
  }

 private:
  // True when it was enough to write the values over those that are here.
  bool overwrite(const Sessions& sessions);

  // REQUIRES: `octets` begins with one.
  template <class Number>
  static Number take(std::string_view& octets) noexcept {
    Number number = 0;
    std::memcpy(&number, octets.data(), sizeof number);
    octets.remove_prefix(sizeof number);
    return number;
  }

  // Of each counter: the length of its name, the name, its value. Empty: nothing to count.
  base::PackedText octets_;
};

}  // namespace sluice::health
