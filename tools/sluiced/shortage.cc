#include "tools/sluiced/shortage.h"

namespace sluice {
namespace {

// Clients that wait for each other's descriptors make gaps of a second or two.
constexpr base::Duration kOver = std::chrono::seconds(5);

}  // namespace

Shortage::Change Shortage::look(std::uint64_t failures, bool lasts, base::MonoTime now) noexcept {
  const bool seen = lasts || failures > failures_;
  failures_ = failures;
  if (seen) {
    last_ = now;
    if (told_) return Change::None;
    told_ = true;
    return Change::Begins;
  }
  if (!told_ || now - last_ < kOver) return Change::None;
  told_ = false;
  return Change::Ends;
}

}  // namespace sluice
