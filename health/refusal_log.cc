#include "health/refusal_log.h"

namespace sluice::health {
namespace {

constexpr std::chrono::minutes kQuiet{1};
// More kinds within a minute are a script gone wild: forgetting what was told costs one event each.
constexpr std::size_t kMostKinds = 1'024;

}  // namespace

std::optional<std::uint64_t> RefusalLog::note(const Kind& kind, base::MonoTime now) {
  const auto known = told_.find(kind);
  if (known != told_.end() && now - known->second.at < kQuiet) {
    ++known->second.since;
    return std::nullopt;
  }
  const std::uint64_t passed_over = known == told_.end() ? 0 : known->second.since;
  if (told_.size() >= kMostKinds) {
    std::erase_if(told_, [&](const auto& each) { return now - each.second.at >= kQuiet; });
    // All are of this minute: those of the first half of the alphabet of servers have to go.
    if (told_.size() >= kMostKinds) {
      told_.erase(told_.begin(), std::next(told_.begin(), kMostKinds / 2));
    }
  }
  told_[kind] = {now, 0};
  return passed_over;
}

}  // namespace sluice::health
