#include "health/lease.h"

namespace sluice::health {

LeaseState state_of(const Lease& lease) noexcept {
  if (lease.current) return LeaseState::Current;
  if (lease.guarded()) return LeaseState::Guarded;
  return lease.last_push ? LeaseState::Expired : LeaseState::Never;
}

bool more_than(std::size_t part, std::size_t whole, unsigned percent) noexcept {
  return part * 100 > whole * percent;
}

Loss judge_loss(std::span<const Lease> pool, const config::Health& settings, base::MonoTime now) {
  Loss loss;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    if (!pool[i].current) continue;
    ++loss.current_before;
    if (now - *pool[i].last_push > 2 * settings.heartbeat) loss.lost.push_back(i);
  }
  loss.mass = more_than(loss.lost.size(), loss.current_before, settings.mass_loss);
  return loss;
}

bool in_grace(const Grace& grace, const config::Health& settings, base::MonoTime now) noexcept {
  if (now < grace.started + settings.lease) return true;
  return now < grace.started + settings.mass_loss_hold &&
         more_than(grace.unheard, grace.servers, settings.mass_loss);
}

}  // namespace sluice::health
