#pragma once

#include <cstdint>

#include "config/base/clock.h"

namespace sluice {

// Something that runs out and comes back many times a second is one episode to people: told when it
// begins, and when it has been over for a while. Pure.
class Shortage {
 public:
  enum class Change : std::uint8_t { None, Begins, Ends };

  // `failures`: all that there ever were for its sake (fewer than before: they are counted anew,
  // from now on); `lasts`: whether it stands now.
  Change look(std::uint64_t failures, bool lasts, base::MonoTime now) noexcept;

 private:
  std::uint64_t failures_ = 0;
  bool told_ = false;
  base::MonoTime last_{};  // when it was seen
};

}  // namespace sluice
