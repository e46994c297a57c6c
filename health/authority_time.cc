// What time does: leases, the start grace, the mass-loss guard, waits that run out.

#include <algorithm>
#include <utility>

#include "health/authority_following.h"
#include "health/authority_reports.h"
#include "health/authority_state.h"

namespace sluice::health {
namespace {

// What one tick does at most, so that a drain that comes meanwhile waits for some milliseconds: the
// next tick is a millisecond later.
constexpr std::size_t kServersATick = 1'000;
constexpr PoolId kPoolsATick = 500;

}  // namespace

base::MonoTime Authority::State::lease_end(const Lease& lease) const {
  return std::max(*lease.last_push + settings_.health.lease, lease_floor_);
}

void Authority::State::watch(ServerId server, base::MonoTime deadline) {
  at(server).agent.edit().watched = deadline;
  deadlines_.push({deadline, server});
}

bool Authority::State::stood_still(const base::Now& now) const {
  return now.mono - alive_ > 2 * settings_.health.heartbeat;
}

base::MonoTime Authority::State::counted(const base::Now& now) const {
  if (stood_still(now)) return alive_;  // and has not ticked since
  return now.mono < caught_up_ ? fell_still_ : now.mono;
}

void Authority::State::tick() {
  const base::Now now = clock_.now();
  // next_deadline() is never further away than a heartbeat. Who slept for longer was itself stopped
  // or starved, and must not judge leases before the agents have had their chance.
  if (stood_still(now)) {
    lease_floor_ = now.mono + settings_.health.lease;
    fell_still_ = alive_;
    caught_up_ = now.mono + settings_.health.heartbeat;
  }
  alive_ = now.mono;
  if (deciding_) run_schedules(now);
  end_leases(now);
  if (deciding_) end_graces(now);
  settle_due(now);
  if (deciding_) step_weights(now);
  end_lift_waits(now);
  ripen(now);
  end_served_waits(now.mono);
  reports_->share_due(now);
  flush_audit();
}

// What is held and has left every cache may be drained now: those who watch are told.
void Authority::State::ripen(const base::Now& now) {
  for (std::size_t count = 0; count < kServersATick; ++count) {
    if (ripening_.empty() || ripening_.top().at > now.mono) return;
    const ServerId server = ripening_.top().server;
    ripening_.pop();
    tell_statuses(server, now);
  }
}

// A whole site may go silent at once: what has run out is taken in portions, and published once for
// each.
void Authority::State::end_leases(const base::Now& now) {
  std::vector<ServicePoolId> dirty;
  std::vector<ServerId> silent;
  for (std::size_t count = 0; count < kServersATick; ++count) {
    if (deadlines_.empty() || deadlines_.top().at > now.mono) break;
    const auto [deadline, id] = deadlines_.top();
    deadlines_.pop();
    Agent& agent = at(id).agent.edit();
    if (deadline != agent.watched) continue;  // another deadline took its place
    if (agent.voucher != 0) continue;         // another responder judges
    if (agent.lease.current) {
      const base::MonoTime end = lease_end(agent.lease);
      if (end > now.mono) {
        watch(id, end);  // pushed meanwhile: heartbeats never touch the queue
        continue;
      }
      end_lease(id, now);
    } else if (agent.lease.guarded()) {
      // Who stood still gives the agents their chance first.
      const base::MonoTime end = std::max(*agent.lease.guarded_until, lease_floor_);
      if (end > now.mono) {
        watch(id, end);
        continue;
      }
      agent.lease.guarded_until.reset();
      say(EventType::GuardEnd, name(id), "", {},
          "the mass-loss guard ended: out until its agent pushes");
    } else {
      continue;
    }
    silent.push_back(id);
    for (const ServiceSlot& slot : topology_->servers()[id].services) {
      dirty.push_back(slot.service_pool);
    }
  }
  if (!dirty.empty()) republish(std::move(dirty));
  for (const ServerId id : silent) tell_statuses(id, now);
}

void Authority::State::end_lift_waits(const base::Now& now) {
  for (std::size_t i = 0; i < lift_waits_.size();) {
    if (lift_waits_[i].deadline > now.mono) {
      ++i;
      continue;
    }
    LiftWait wait = std::move(lift_waits_[i]);
    lift_waits_.erase(lift_waits_.begin() + static_cast<std::ptrdiff_t>(i));
    for (const std::string& service : wait.services) {
      const auto target = resolve(wait.server, service);
      if (!target) continue;
      ServiceState& state = at(target->server, *target->slot).service.edit();
      if (state.lift == ServiceState::Lift::Asked) state.lift = ServiceState::Lift::No;
      Hold* hold = holds_.find({wait.server, service, Origin::Host});
      if (hold != nullptr && std::exchange(hold->lift_asked, false)) persist(*hold);
    }
    wait.finish(false);
  }
}

std::optional<base::MonoTime> Authority::State::next_deadline() const {
  base::MonoTime next = alive_ + settings_.health.heartbeat;
  if (!deadlines_.empty()) next = std::min(next, deadlines_.top().at);
  next = std::min(next, reports_->next_due().value_or(next));
  if (!served_waits_.empty()) next = std::min(next, served_waits_.front().deadline);
  if (!settling_.empty()) next = std::min(next, settling_.top().at);
  if (!ripening_.empty()) next = std::min(next, ripening_.top().at);
  for (const LiftWait& wait : lift_waits_) next = std::min(next, wait.deadline);
  if (!deciding_) return next;
  next = std::min(next, next_grace_ > 0 ? alive_ : grace_round_);  // at once amid a round
  if (!plans_.empty() || !expiries_.empty()) {
    next = std::min(next, next_schedule(clock_.now()).value_or(next));
  }
  return std::min(next, next_step().value_or(next));
}

void Authority::State::end_lease(ServerId id, const base::Now& now) {
  Lease& lease = at(id).agent.edit().lease;
  if (!deciding_) following_->note_unsettled(id);
  if (deciding_ && !lease.guarded_until) {
    const TopologyPool& pool = topology_->pools()[topology_->servers()[id].pool];
    std::vector<Lease> leases;
    leases.reserve(pool.server_count);
    for (std::uint32_t i = 0; i < pool.server_count; ++i) {
      const Agent& agent = *at(pool.first_server + i).agent;
      leases.push_back(agent.lease);
      if (agent.voucher != 0 && !agent.silent) leases.back().last_push = now.mono;
    }
    const Loss loss = judge_loss(leases, settings_.health, now.mono);
    if (loss.mass) {
      for (const std::size_t lost : loss.lost) {
        at(pool.first_server + static_cast<ServerId>(lost)).agent.edit().lease.guarded_until =
            now.mono + settings_.health.mass_loss_hold;
      }
      say(EventType::MassLoss, name(id), "", {},
          std::to_string(loss.lost.size()) + " of " + std::to_string(loss.current_before) +
              " agents of " + std::string(pool.fqdn) +
              " went silent at once: their last known health stands");
    }
  }
  lease.current = false;
  at(id).agent.edit().silent_since = now.wall;
  ++lease_losses_total_;
  if (lease.guarded_until) {
    watch(id, *lease.guarded_until);
    if (deciding_) following_->tell_guard(topology_->servers()[id].pool);
  } else {
    say(EventType::Lease, name(id), "", {}, "the lease ran out: its agent went silent");
  }
  reports_->share_in_time(id, now);
  reports_->share_silent(topology_->servers()[id].pool, now);
}

base::MonoTime Authority::State::grace_started() const {
  return std::max(started_, lease_floor_ - settings_.health.lease);
}

bool Authority::State::end_grace(PoolId id, const base::Now& now) {
  Pool& pool = pools_[id];
  const Grace grace{grace_started(), topology_->pools()[id].server_count, pool.unheard};
  if (!pool.grace || in_grace(grace, settings_.health, now.mono)) return false;
  pool.grace = false;
  return true;
}

// Time ends graces twice: after one lease, and at the end of mass_loss_hold. In between it is
// agents that speak (heartbeat()). A round over all pools goes in portions too.
void Authority::State::end_graces(const base::Now& now) {
  if (now.mono < grace_round_) return;
  std::vector<ServicePoolId> dirty;
  const auto pools = static_cast<PoolId>(pools_.size());
  const PoolId end = std::min(pools, next_grace_ + kPoolsATick);
  for (; next_grace_ < end; ++next_grace_) {
    if (!end_grace(next_grace_, now)) continue;
    for (const ServicePoolId service_pool : service_pools_of(next_grace_)) {
      dirty.push_back(service_pool);
    }
  }
  if (!dirty.empty()) republish(std::move(dirty));
  if (next_grace_ == pools) plan_grace_round(now);
}

void Authority::State::plan_grace_round(const base::Now& now) {
  next_grace_ = 0;
  const base::MonoTime started = grace_started();
  grace_round_ = base::MonoTime::max();
  for (const base::Duration after : {settings_.health.lease, settings_.health.mass_loss_hold}) {
    if (started + after > now.mono) grace_round_ = std::min(grace_round_, started + after);
  }
}

std::vector<ServicePoolId> Authority::State::service_pools_of(PoolId id) const {
  const TopologyPool& pool = topology_->pools()[id];
  std::vector<ServicePoolId> all;
  for (std::uint32_t i = 0; i < pool.service_pool_count; ++i) {
    all.push_back(pool.first_service_pool + i);
  }
  return all;
}

}  // namespace sluice::health
