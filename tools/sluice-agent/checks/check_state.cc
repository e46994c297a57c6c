#include "tools/sluice-agent/checks/check_state.h"

#include <algorithm>

namespace sluice::agent {

Transition CheckState::apply(bool passed) noexcept {
  const CheckStatus seen = passed ? CheckStatus::Up : CheckStatus::Down;
  if (status_ == seen) {
    streak_ = 0;
    return Transition::Unchanged;
  }
  ++streak_;
  const bool first = status_ == CheckStatus::Unknown;
  if (!first && streak_ < (passed ? thresholds_.rise : thresholds_.fall)) {
    return Transition::Pending;
  }
  status_ = seen;
  streak_ = 0;
  return Transition::Changed;
}

CheckStatus combine(std::span<const CheckStatus> checks) noexcept {
  const auto any = [&](CheckStatus status) {
    return std::find(checks.begin(), checks.end(), status) != checks.end();
  };
  if (any(CheckStatus::Down)) return CheckStatus::Down;
  return checks.empty() || any(CheckStatus::Unknown) ? CheckStatus::Unknown : CheckStatus::Up;
}

}  // namespace sluice::agent
