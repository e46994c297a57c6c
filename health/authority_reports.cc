// One of several responders (health/cluster): what agents say who push to others, and what others
// are told of those who push here: transitions, not heartbeats.

#include "health/authority_reports.h"

#include <algorithm>
#include <utility>

#include "health/authority_following.h"

namespace sluice::health {
namespace {

// Of one agent others are told so often at once, and then once in each gap: with the answers'
// settling (authority_heartbeat.cc) at most a few writes a second for each server.
constexpr base::Duration kTellGap = std::chrono::seconds(1);
constexpr int kTellBurst = 4;

bool any_session(const std::optional<Sessions>& sessions) {
  return sessions && !at_zero(sessions);
}

// Whether there is something in it that can't wait: all but the number of sessions.
bool is_transition(const AgentReport& before, const AgentReport& after) {
  if (before.boot != after.boot || before.current != after.current ||
      before.silent != after.silent || before.services.size() != after.services.size()) {
    return true;
  }
  for (const auto& [service, now] : after.services) {
    const auto was = before.services.find(service);
    if (was == before.services.end()) return true;
    const ReportedService& known = was->second;
    if (known.health != now.health || known.instance != now.instance || known.hook != now.hook ||
        known.sessions.has_value() != now.sessions.has_value() ||
        any_session(known.sessions) != any_session(now.sessions) ||
        known.counted_since_horizon != now.counted_since_horizon ||
        known.connected_since_horizon != now.connected_since_horizon) {
      return true;
    }
  }
  return false;
}

bool same_but_seq(const AgentReport& a, const AgentReport& b) {
  return a.boot == b.boot && a.current == b.current && a.silent == b.silent &&
         a.services == b.services;
}

}  // namespace

// --- what others say

std::uint32_t Authority::State::Reports::voucher_of(const std::string& responder,
                                                    const std::string& run) {
  const std::string name = responder + "/" + run;
  const auto known = std::ranges::find(vouchers_, name);
  if (known != vouchers_.end()) return static_cast<std::uint32_t>(known - vouchers_.begin());
  vouchers_.push_back(name);
  return static_cast<std::uint32_t>(vouchers_.size() - 1);
}

void Authority::State::Reports::hear(const AgentReport& report, bool vouched) {
  const auto known = state_.topology_->server(report.server);
  if (!known) return;
  const ServerId id = *known;
  const base::Now now = state_.clock_.now();
  {
    const Agent& mine = *state_.at(id).agent;
    // It pushes here by now, and what it said last is on its way to the others.
    if (mine.pushes_here && mine.boot == report.boot && mine.seq >= report.seq) {
      told_.erase(id);
      return share_in_time(id, now);
    }
  }
  Agent& agent = state_.at(id).agent.edit();
  if (std::ranges::find(agent.past_boots, report.boot) != agent.past_boots.end()) {
    // It comes late: another boot followed that one.
    told_.erase(id);
    return share_in_time(id, now);
  }
  if (!agent.boot.empty() && agent.boot != report.boot && agent.heard) state_.note_past_boot(agent);
  agent.boot = report.boot;
  agent.seq = report.seq;
  agent.pushes_here = false;
  told_.erase(id);
  if (!agent.heard) {
    agent.heard = true;
    --state_.pools_[state_.topology_->servers()[id].pool].unheard;
  }
  const bool was_current = agent.lease.current;
  agent.voucher = vouched && report.current ? voucher_of(report.responder, report.run) : 0;
  // Of one that is silent all that counts is that it is longer ago than two heartbeats.
  agent.lease.last_push = report.silent ? now.mono - state_.settings_.health.lease : now.mono;
  agent.silent = report.silent;
  hear_services(id, report, now);
  if (report.current) {
    agent.lease.current = true;
    if (!report.silent) agent.lease.guarded_until.reset();
    if (!vouched) state_.watch(id, state_.lease_end(agent.lease));
  } else if (was_current) {
    // As of its last push, which is a lease ago. Others may have ended with it: judge_heard().
    agent.lease.last_push = now.mono - state_.settings_.health.lease;
    ended_.push_back(id);
    return;
  }
  if (!state_.deciding_) {
    state_.following_->note_unsettled(id);
    return state_.tell_statuses(id, now);
  }
  bool ordered = false;
  for (std::size_t slot = 0; slot < state_.slot_count(id); ++slot) {
    ordered = state_.apply_instance(id, slot) || ordered;
  }
  if (ordered || report.current != was_current) {
    state_.settle(id, now);
  } else {
    state_.settle_in_time(id, now);
  }
  state_.flush_audit();
}

void Authority::State::Reports::judge() {
  if (ended_.empty()) return;
  const base::Now now = state_.clock_.now();
  const std::vector<ServerId> ended = std::exchange(ended_, {});
  for (const ServerId id : ended) {
    if (state_.at(id).agent->lease.current) state_.end_lease(id, now);
  }
  for (const ServerId id : ended) {
    if (state_.deciding_) {
      state_.settle(id, now);
    } else {
      state_.following_->note_unsettled(id);
      state_.tell_statuses(id, now);
    }
  }
  state_.flush_audit();
}

void Authority::State::Reports::hear_services(ServerId id, const AgentReport& report,
                                              const base::Now& now) {
  for (const auto& [name, said] : report.services) {
    const auto service_id = state_.topology_->service(name);
    const auto slot = service_id ? state_.topology_->servers()[id].slot_of(*service_id)
                                 : std::optional<std::size_t>();
    if (!slot) continue;
    ServiceState& state = state_.at(id, *slot).service.edit();
    if (state.health != said.health) {
      state.since = now.wall;
      state_.at(id).agent.edit().unsettled = true;
    }
    state.health = state.last_known = said.health;
    state.sessions = said.sessions;
    if (said.hook || *state.hook) state.hook.edit() = said.hook;
    if (said.instance) {
      state.instance = std::string_view(*said.instance);
    } else {
      state.instance.reset();
    }
    // That responder compared with its own horizon; when it counted by our clock is not known.
    state.counted = said.counted_since_horizon ? now.mono : base::MonoTime{};
    state.last_new_connection.reset();
    if (said.connected_since_horizon) state.last_new_connection = now.mono;
  }
}

void Authority::State::Reports::orphan(const std::string& responder, const std::string& run) {
  const auto known = std::ranges::find(vouchers_, responder + "/" + run);
  if (known == vouchers_.end()) return;
  const auto voucher = static_cast<std::uint32_t>(known - vouchers_.begin());
  const base::Now now = state_.clock_.now();
  for (ServerId id = 0; id < state_.servers_.all.size(); ++id) {
    if (state_.at(id).agent->voucher != voucher) continue;
    Agent& agent = state_.at(id).agent.edit();
    agent.voucher = 0;
    agent.lease.last_push = now.mono;
    state_.watch(id, state_.lease_end(agent.lease));
  }
}

// --- what others are told

AgentReport Authority::State::Reports::report_of(ServerId id, const base::Now& now) const {
  const Agent& agent = *state_.at(id).agent;
  AgentReport report;
  report.server = state_.name(id);
  report.boot = agent.boot;
  report.seq = agent.seq;
  report.current = agent.lease.current;
  report.silent = now.mono - *agent.lease.last_push > 2 * state_.settings_.health.heartbeat;
  for (std::size_t slot = 0; slot < state_.slot_count(id); ++slot) {
    const ServiceState& state = *state_.at(id, slot).service;
    if (!state.health) continue;
    ReportedService& said =
        report.services.try_emplace(state_.service_name(id, slot)).first->second;
    said.health = *state.health;
    if (state.instance) said.instance = std::string(*state.instance);
    said.sessions = state.sessions;
    said.hook = *state.hook;
    // Of what is not held nobody asks.
    if (!state_.held(id, slot) || !state_.out_of_answers(id, slot)) continue;
    const base::MonoTime end = state_.horizon(id, slot);
    said.counted_since_horizon = end <= now.mono && state.counted >= end;
    said.connected_since_horizon = state.last_new_connection && *state.last_new_connection > end;
  }
  return report;
}

void Authority::State::Reports::share_in_time(ServerId id, const base::Now& now) {
  if (state_.settings_.cluster == nullptr || !state_.at(id).agent->pushes_here) return;
  AgentReport report = report_of(id, now);
  const auto known = told_.find(id);
  if (known == told_.end()) return share_now(id, std::move(report), now);
  Told& told = known->second;
  if (told.due || same_but_seq(told.report, report)) return;
  const bool burst =
      std::max(told.spent_until, now.mono) + kTellGap - now.mono <= kTellBurst * kTellGap;
  if (is_transition(told.report, report) ? burst : told.at + kTellGap <= now.mono) {
    return share_now(id, std::move(report), now);
  }
  told.due = std::max(told.at, now.mono - kTellGap) + kTellGap;
  telling_.push({*told.due, id});
}

// Who decides judges whether it is a mass loss, and must know of all who went silent.
void Authority::State::Reports::share_silent(PoolId pool, const base::Now& now) {
  if (state_.settings_.cluster == nullptr) return;
  const TopologyPool& where = state_.topology_->pools()[pool];
  for (std::uint32_t i = 0; i < where.server_count; ++i) {
    const Agent& agent = *state_.at(where.first_server + i).agent;
    if (!agent.pushes_here || !agent.lease.current) continue;
    if (now.mono - *agent.lease.last_push <= 2 * state_.settings_.health.heartbeat) continue;
    share_in_time(where.first_server + i, now);
  }
}

void Authority::State::Reports::share_now(ServerId id, AgentReport report, const base::Now& now) {
  Told& told = told_[id];
  told.spent_until = std::max(told.spent_until, now.mono) + kTellGap;
  told.at = now.mono;
  told.due.reset();
  told.report = report;
  state_.settings_.cluster->share(std::move(report));
}

void Authority::State::Reports::share_due(const base::Now& now) {
  while (!telling_.empty() && telling_.top().at <= now.mono) {
    const auto [due, id] = telling_.top();
    telling_.pop();
    const auto told = told_.find(id);
    if (told == told_.end() || told->second.due != due) continue;
    told->second.due.reset();
    AgentReport report = report_of(id, now);
    if (!same_but_seq(told->second.report, report)) share_now(id, std::move(report), now);
  }
}

void Authority::State::Reports::share_all() {
  const base::Now now = state_.clock_.now();
  told_.clear();
  telling_ = {};
  for (ServerId id = 0; id < state_.servers_.all.size(); ++id) share_in_time(id, now);
}

}  // namespace sluice::health
