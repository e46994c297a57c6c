#include "health/etcd/endpoints.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sluice::etcd {
namespace {

constexpr base::Duration kFirstPause{50};
constexpr base::Duration kLongestPause{2'000};

}  // namespace

base::Duration backoff(unsigned failures, double random) {
  base::Duration pause = kFirstPause;
  for (unsigned i = 1; i < failures && pause < kLongestPause; ++i) pause *= 2;
  const auto most = static_cast<double>(std::min(pause, kLongestPause).count());
  return base::Duration(static_cast<base::Duration::rep>(most * (1.0 - random / 2)));
}

Endpoints::Endpoints(std::size_t count, Random random)
    : members_(count), random_(std::move(random)) {
  assert(count > 0);
}

std::optional<std::size_t> Endpoints::choose(base::MonoTime now,
                                             const std::vector<bool>& tried) const {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const std::size_t member = (preferred_ + i) % members_.size();
    if (tried[member]) continue;
    if (members_[member].rests_until <= now) return member;
    if (!best || members_[member].rests_until < members_[*best].rests_until) best = member;
  }
  return best;
}

void Endpoints::failed(std::size_t member, base::MonoTime now) {
  Member& one = members_[member];
  ++one.failures;
  one.rests_until = now + backoff(one.failures, random_());
  if (preferred_ == member) preferred_ = (member + 1) % members_.size();
}

void Endpoints::answered(std::size_t member) {
  members_[member] = {};
}

}  // namespace sluice::etcd
