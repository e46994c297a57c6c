// What agents push (semantics.md sections 3 and 4; interfaces.md, "Heartbeat and its reply").

#include <algorithm>
#include <utility>

#include "health/authority_following.h"
#include "health/authority_reports.h"
#include "health/authority_state.h"

namespace sluice::health {
namespace {

// Boot ids that are remembered as over. A host that boots more often within one run of the
// authority could replay only its oldest ones, and only by its own agent's token.
constexpr std::size_t kPastBoots = 16;

// Where a pause comes from that the host's administrator typed there.
constexpr const char* kHost = "host";

// What agents say changes answers so often for one server, and then once in each gap: an agent that
// flaps costs everybody a publication, an event and a line each time.
constexpr base::Duration kSettleGap = std::chrono::seconds(1);
constexpr int kSettleBurst = 5;

}  // namespace

void Authority::State::heartbeat(const std::string& server, const Heartbeat& heartbeat,
                                 Reply<HeartbeatReply> done, bool again) {
  const base::Now now = clock_.now();
  ++heartbeats_total_;
  const auto target = resolve(server, std::nullopt);
  if (!target) {
    done(base::Unexpected{target.error()});
    return;
  }
  const ServerId id = target->server;
  const auto slots = slots_of(id, heartbeat);
  if (!slots) {
    done(base::Unexpected{slots.error()});
    return;
  }
  if (auto old = stale(id, heartbeat, again)) {
    done(base::Unexpected{std::move(*old)});
    return;
  }
  const bool returned = renew(id, heartbeat, now);
  bool ordered = false;
  std::map<std::string, Refusal, std::less<>> refused;
  std::vector<HoldKey> placed;
  auto slot = slots->begin();
  for (const auto& [service, report] : heartbeat.services) {
    apply_report(id, *slot, report, now);
    if (!deciding_) {
      ++slot;
      continue;
    }
    ordered = apply_instance(id, *slot) || ordered;
    auto pause = apply_pause(id, *slot, report.paused);
    if (!pause) {
      tell_refusal(server, service, {report.paused->by, kHost}, pause.error());
      refused.emplace(service, std::move(pause).error());
    } else if (*pause) {
      placed.push_back(**pause);
    }
    ++slot;
  }
  if (returned || ordered) {
    settle(id, now);
  } else {
    settle_in_time(id, now);
  }
  // Now that what it said is known: its own grace may be what ends.
  const PoolId pool = topology_->servers()[id].pool;
  if (deciding_ && end_grace(pool, now)) republish(service_pools_of(pool));
  finish_lifts(id);
  reports_->share_in_time(id, now);

  flush_audit();
  if (placed.empty()) {
    done(heartbeat_reply(server, heartbeat, refused));
    return;
  }
  const auto reply = [this, server, heartbeat, refused = std::move(refused),
                      done = std::move(done)] {
    done(heartbeat_reply(server, heartbeat, refused));
  };
  // The agent is told "held" when it is true of every answer and on disk. A store that fails leaves
  // the hold in force, and the agent pushes it again with each heartbeat.
  const auto left = std::make_shared<std::size_t>(placed.size() + 1);
  const auto one_done = [left, reply] {
    if (--*left == 0) reply();
  };
  for (const HoldKey& key : placed) {
    commit_hold(key, [one_done](const Store::Stored&) { one_done(); });
  }
  after_served(one_done);
}

Outcome<std::vector<std::size_t>> Authority::State::slots_of(ServerId id,
                                                             const Heartbeat& heartbeat) const {
  std::vector<std::size_t> slots;
  for (const auto& [service, report] : heartbeat.services) {
    const auto service_id = topology_->service(service);
    const auto slot =
        service_id ? topology_->servers()[id].slot_of(*service_id) : std::optional<std::size_t>();
    if (!slot) {
      Refusal refusal;
      refusal.kind = Refusal::Kind::BadInput;
      refusal.member = "services." + service;
      refusal.detail =
          "the configuration has no service " + service + " on " + std::string(name(id));
      return base::Unexpected{std::move(refusal)};
    }
    slots.push_back(*slot);
  }
  return slots;
}

std::optional<Refusal> Authority::State::stale(ServerId id, const Heartbeat& heartbeat,
                                               bool again) const {
  const Agent& server = *at(id).agent;
  Refusal refusal;
  refusal.kind = Refusal::Kind::Rule;
  refusal.rule = "seq";
  if (std::ranges::find(server.past_boots, heartbeat.instance) != server.past_boots.end()) {
    refusal.detail = "this boot id was already followed by another";
    return refusal;
  }
  if (heartbeat.instance != server.boot || !server.heard || heartbeat.seq > server.seq ||
      (again && heartbeat.seq == server.seq)) {
    return std::nullopt;
  }
  refusal.detail = "a heartbeat with this seq or a newer one was already seen";
  refusal.numbers = {{"seq", heartbeat.seq}, {"seen", server.seq}};
  return refusal;
}

void Authority::State::note_past_boot(Agent& agent) {
  agent.past_boots.push_back(agent.boot);
  if (agent.past_boots.size() > kPastBoots) agent.past_boots.erase(agent.past_boots.begin());
}

bool Authority::State::renew(ServerId id, const Heartbeat& heartbeat, const base::Now& now) {
  Agent& server = at(id).agent.edit();
  const bool judged_here = server.voucher == 0;
  server.voucher = 0;
  server.silent = false;
  server.pushes_here = settings_.cluster != nullptr;
  if (server.boot != heartbeat.instance) {
    if (server.heard) note_past_boot(server);
    server.boot = heartbeat.instance;
  }
  server.seq = heartbeat.seq;
  const bool was_current = server.lease.current;
  server.lease.last_push = now.mono;
  server.lease.current = true;
  server.lease.guarded_until.reset();
  if (!was_current || !judged_here) watch(id, lease_end(server.lease));
  if (!was_current) {
    if (server.heard) say(EventType::Lease, name(id), "", {}, "its agent pushes again");
  }
  if (!server.heard) {
    server.heard = true;
    --pools_[topology_->servers()[id].pool].unheard;
  }
  return !was_current;
}

void Authority::State::apply_report(ServerId id, std::size_t index, const ServiceReport& report,
                                    const base::Now& now) {
  ServiceState& service = at(id, index).service.edit();
  service.counted = counted(now);
  if (apply(service, report, at(id).agent->boot, now)) at(id).agent.edit().unsettled = true;
}

// What the agent said has its effect: on the answers, on disk, on those who watch.
void Authority::State::settle(ServerId id, const base::Now& now) {
  at(id).agent.edit().unsettled = false;
  if (!deciding_) {
    following_->note_unsettled(id);
    return tell_statuses(id, now);
  }
  std::vector<Change> changes;
  for (std::size_t slot = 0; slot < slot_count(id); ++slot) {
    const ServiceState& service = *at(id, slot).service;
    if (!service.last_known || service.last_known == service.kept) continue;
    at(id, slot).service.edit().kept = service.last_known;
    changes.emplace_back(
        PutHealth{std::string(name(id)), service_name(id, slot), *service.last_known});
  }
  // Written behind: nobody waits for it, a restart goes on from it.
  if (!changes.empty()) store_.commit(std::move(changes), Store::Urgency::Behind, nullptr);
  republish_server(id);
  tell_statuses(id, now);
}

// The same, unless the server had more than its share of late: then at the end of the gap, with
// what is true by then.
void Authority::State::settle_in_time(ServerId id, const base::Now& now) {
  Agent& agent = at(id).agent.edit();
  if (!agent.unsettled && !statuses_differ(id, now)) return;
  if (agent.settles_at) return;  // it waits already
  const base::MonoTime spent = std::max(agent.spent_until, now.mono) + kSettleGap;
  if (spent - now.mono <= kSettleBurst * kSettleGap) {
    agent.spent_until = spent;
    return settle(id, now);
  }
  agent.settles_at = agent.spent_until - (kSettleBurst - 1) * kSettleGap;
  settling_.push({*agent.settles_at, id});
}

void Authority::State::settle_due(const base::Now& now) {
  while (!settling_.empty() && settling_.top().at <= now.mono) {
    const auto [at_time, id] = settling_.top();
    settling_.pop();
    Agent& agent = at(id).agent.edit();
    if (agent.settles_at != at_time) continue;  // of another topology
    agent.settles_at.reset();
    agent.spent_until = std::max(agent.spent_until, now.mono) + kSettleGap;
    settle(id, now);
  }
}

// True when a hold went.
bool Authority::State::apply_instance(ServerId id, std::size_t index) {
  const std::string& service = service_name(id, index);
  const ServiceState& state = *at(id, index).service;
  std::vector<HoldKey> releasing;
  for (Hold* hold : holds_.covering(name(id), service)) {
    switch (instance_effect(*hold, service, state, startup(id, index))) {
      case InstanceEffect::None:
      case InstanceEffect::Outlive:
        break;
      case InstanceEffect::Adopt:
        hold->instances[service] = *state.instance;
        persist(*hold);
        break;
      case InstanceEffect::Forget:
        hold->instances.erase(service);
        persist(*hold);
        break;
      case InstanceEffect::Release:
        releasing.push_back(hold->key);
        break;
    }
  }
  for (const HoldKey& key : releasing) release(key, id, index);
  return !releasing.empty();
}

// Startup automatic: a new instance releases its service from a hold; the hold goes with its last.
void Authority::State::release(const HoldKey& key, ServerId id, std::size_t index) {
  const std::string& service = service_name(id, index);
  say(EventType::Release, name(id), service, {}, "a new instance started (startup automatic)");
  Hold& hold = *holds_.find(key);
  hold.released.insert(service);
  if (key.origin == Origin::Host) {
    at(id, index).service.edit().lift = ServiceState::Lift::Released;
  }
  const auto slots = slots_of(Target{id, std::nullopt});
  const bool covers_any = std::ranges::any_of(
      slots, [&](std::size_t slot) { return hold.covers(service_name(id, slot)); });
  if (covers_any) {
    persist(hold);
    return;
  }
  erase_from_store(key);
  not_durable_.erase(key);
  lifting_.erase(key);
  holds_.lift(key);
  index_expiry(key);
}

Outcome<std::optional<HoldKey>> Authority::State::apply_pause(
    ServerId id, std::size_t index, const std::optional<HostPause>& paused) {
  ServiceState& service = at(id, index).service.edit();
  if (!paused && holds_.of(name(id)).empty()) {
    service.lift = ServiceState::Lift::No;
    return std::optional<HoldKey>();
  }
  const HoldKey key{std::string(name(id)), service_name(id, index), Origin::Host};
  const bool stands = holds_.find(key) != nullptr;
  if (!paused) {
    service.lift = ServiceState::Lift::No;
    if (stands) {
      say(EventType::Resume, key.server, key.service, {"", kHost}, "");
      erase_from_store(key);
      lift(key);
    }
    return std::optional<HoldKey>();
  }
  if (service.lift == ServiceState::Lift::Released) return std::optional<HoldKey>();
  if (stands) {
    return not_durable_.contains(key) ? std::optional(key) : std::optional<HoldKey>();
  }
  const Target target{id, index};
  const auto broken = broken_floor(target);
  if (broken && !paused->force) return base::Unexpected{floor_refusal(*broken)};
  Hold hold = make_hold(target, Origin::Host);
  hold.by = paused->by;
  hold.reason = paused->reason;
  hold.since = paused->since;
  hold.startup = paused->startup;
  hold.forced = paused->force;
  // Told late, perhaps after a restart: what runs now may be newer than the hold.
  if (paused->instance) hold.instances[key.service] = *paused->instance;
  place(std::move(hold));
  say(EventType::Drain, key.server, key.service, {paused->by, kHost}, paused->reason);
  return std::optional(key);
}

// Resumes that waited for this agent to lift the host's holds.
void Authority::State::finish_lifts(ServerId id) {
  for (std::size_t i = 0; i < lift_waits_.size();) {
    const LiftWait& wait = lift_waits_[i];
    const auto stands = [&](const std::string& service) {
      return holds_.find({wait.server, service, Origin::Host}) != nullptr;
    };
    if (wait.server != name(id) || std::ranges::any_of(wait.services, stands)) {
      ++i;
      continue;
    }
    const auto finish = std::move(lift_waits_[i].finish);
    lift_waits_.erase(lift_waits_.begin() + static_cast<std::ptrdiff_t>(i));
    finish(true);
  }
}

HeartbeatReply Authority::State::heartbeat_reply(
    const std::string& server, const Heartbeat& heartbeat,
    const std::map<std::string, Refusal, std::less<>>& refused) const {
  HeartbeatReply reply;
  reply.generation = membership_->generation;
  reply.lease = settings_.health.lease;
  reply.stale = settings_.cluster != nullptr && settings_.cluster->is_stale();
  const auto id = topology_->server(server);
  reply.services.reserve(heartbeat.services.size());
  const std::vector<Hold>& holds = holds_.of(server);
  for (const auto& [service, report] : heartbeat.services) {
    ServiceOrder& order = reply.services.try_emplace(service).first->second;
    for (const Hold& hold : holds) {
      if (order.reason.empty() && hold.covers(service)) order.reason = hold.reason;
    }
    // A reload may have dropped either meanwhile.
    const auto service_id = id ? topology_->service(service) : std::optional<ServiceId>();
    const auto slot =
        service_id ? topology_->servers()[*id].slot_of(*service_id) : std::optional<std::size_t>();
    if (slot) {
      order.held = !holds.empty() && acknowledged(*id, *slot);
      order.pending = !order.held && !holds_.covering(server, service).empty();
      order.lift = at(*id, *slot).service->lift != ServiceState::Lift::No;
    }
    if (const auto refusal = refused.find(service); refusal != refused.end()) {
      order.refused = refusal->second;
    }
  }
  return reply;
}

// Whether the promise of semantics.md section 5 holds for a service: held, on disk, and no worker
// answers by a publication from before.
bool Authority::State::acknowledged(ServerId id, std::size_t slot) const {
  const auto holds = holds_.covering(name(id), service_name(id, slot));
  const auto durable = [&](const Hold* hold) { return !not_durable_.contains(hold->key); };
  const Server& server = at(id);
  return !holds.empty() && std::ranges::all_of(holds, durable) &&
         at(id, slot).naming.leaving == 0 && (!server.host_hidden || server.host.leaving == 0);
}

}  // namespace sluice::health
