#include "tools/sluiced/memory_watch.h"

namespace sluice {
namespace {

// Percent of the limit. At nine tenths there is still room for what arrives until the next look and
// for a reload; below, a limit would be wasted. The step to DNS clients leaves the API's the time
// to have an effect. Each is taken back a tenth lower.
constexpr std::uint64_t kReaders = 90;
constexpr std::uint64_t kTcpClients = 95;
constexpr std::uint64_t kLower = 10;
// Longer than a client waits that was turned away, and tries again.
constexpr base::Duration kStays = std::chrono::seconds(5);

}  // namespace

Shedding MemoryWatch::look(std::uint64_t resident, base::MonoTime now) noexcept {
  if (limit_ == 0) return shedding_ = Shedding::Nobody;
  const auto above = [&](std::uint64_t percent) { return resident * 100 >= limit_ * percent; };
  const auto needed = [&](std::uint64_t lower) {
    if (above(kTcpClients - lower)) return Shedding::TcpClients;
    return above(kReaders - lower) ? Shedding::Readers : Shedding::Nobody;
  };
  if (const Shedding more = needed(0); more > shedding_) {
    shedding_ = more;
    needed_ = now;
  }
  const Shedding still = needed(kLower);
  if (still >= shedding_) {
    needed_ = now;
  } else if (now - needed_ >= kStays) {
    shedding_ = still;
    needed_ = now;
  }
  return shedding_;
}

}  // namespace sluice
