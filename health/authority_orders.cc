// What operators order: drain, resume, force (semantics.md sections 1, 3 and 5).

#include <algorithm>
#include <utility>

#include "config/base/nearest.h"
#include "health/authority_alone.h"
#include "health/authority_state.h"
#include "health/words.h"

namespace sluice::health {
namespace {

// Of a drain of what is held already: what it asked for and did not get.
std::string stood_already(const Hold& hold, const DrainRequest& request) {
  std::vector<std::string> ignored;
  if (!request.reason.empty() && request.reason != hold.reason) ignored.emplace_back("reason");
  if (request.startup && request.startup != hold.startup) ignored.emplace_back("startup");
  if (request.hide_host && !hold.hide_host) ignored.emplace_back("hide_host");
  if (request.expires) ignored.emplace_back("expires");
  std::string text = "the hold stood already, nothing changed";
  if (ignored.empty()) return text;
  return text + ": " + join(ignored) + (ignored.size() == 1 ? " was" : " were") +
         " NOT applied; to change the hold, resume first, which lets clients in until the next "
         "drain";
}

}  // namespace

Outcome<Authority::State::Target> Authority::State::resolve(
    const std::string& server, const std::optional<std::string>& service) const {
  const auto id = topology_->server(server);
  if (!id) {
    return base::Unexpected{
        refuse(Refusal::Kind::NotFound, "no server " + server + " in the configuration")};
  }
  if (!service) return Target{*id, std::nullopt};
  const auto service_id = topology_->service(*service);
  if (!service_id) {
    const auto whole = topology_->consolidator(*service);
    if (whole) {
      const std::string& name = topology_->services()[*whole].name;
      Refusal refusal = refuse(Refusal::Kind::Rule, *service + " is a part of " + name +
                                                        " and can't be held alone: drain " + name);
      refusal.rule = "consolidated";
      return base::Unexpected{std::move(refusal)};
    }
  } else if (const auto slot = topology_->servers()[*id].slot_of(*service_id)) {
    return Target{*id, slot};
  }
  std::vector<std::string> runs;
  std::vector<std::string_view> known;
  for (const ServiceSlot& slot : topology_->servers()[*id].services) {
    runs.push_back(topology_->services()[slot.service].name);
    known.push_back(topology_->services()[slot.service].name);
  }
  return base::Unexpected{refuse(Refusal::Kind::BadInput,
                                 server + " runs no service " + *service + "; it runs " +
                                     join(runs) + base::did_you_mean(*service, known),
                                 "service")};
}

std::vector<std::size_t> Authority::State::slots_of(const Target& target) const {
  if (target.slot) return {*target.slot};
  std::vector<std::size_t> all(slot_count(target.server));
  for (std::size_t slot = 0; slot < all.size(); ++slot) all[slot] = slot;
  return all;
}

HoldKey Authority::State::key_of(const Target& target, Origin origin) const {
  return {std::string(name(target.server)),
          target.slot ? service_name(target.server, *target.slot) : "", origin};
}

// Rule 1: what a drain of the target would do to each answer set that it touches, on the members
// that are in by rules 2 to 5 now. The first floor that it would break.
std::optional<FloorCheck> Authority::State::broken_floor(const Target& target) const {
  for (const std::size_t slot : slots_of(target)) {
    const ServiceSlot& service = topology_->servers()[target.server].services[slot];
    const ServicePool& pool = topology_->service_pools()[service.service_pool];
    if (pool.answer_sets.empty()) continue;
    FloorCheck check;
    check.accepting = decide_pool(service.service_pool).accepting;
    const bool counted = is_in(rule_for(standing(target.server, slot)));
    check.would_leave = check.accepting - (counted ? 1 : 0);
    for (const AnswerSetId id : pool.answer_sets) {
      const TopologyAnswerSet& set = topology_->answer_sets()[id];
      check.answer_set = set.owner;
      check.min_accepting = set.min_accepting;
      if (breaks_floor(check)) return check;
    }
  }
  return std::nullopt;
}

// Of answer sets that follow one service and have one floor, the first stands for all.
std::vector<FloorCheck> Authority::State::below_floor(const Target& target) const {
  std::vector<FloorCheck> below;
  for (const std::size_t slot : slots_of(target)) {
    const ServicePoolId id = topology_->servers()[target.server].services[slot].service_pool;
    std::set<unsigned> told;
    for (const AnswerSetId set_id : topology_->service_pools()[id].answer_sets) {
      const TopologyAnswerSet& set = topology_->answer_sets()[set_id];
      const unsigned accepting = accepting_[id];
      if (accepting >= set.min_accepting || !told.insert(set.min_accepting).second) continue;
      below.push_back({std::string(set.owner), accepting, accepting, set.min_accepting});
    }
  }
  return below;
}

void Authority::State::drain(const DrainRequest& request, const Actor& actor,
                             Reply<DrainReply> done) {
  const base::Now now = clock_.now();
  const auto target = resolve(request.server, request.service);
  if (!target) {
    if (!target.error().rule.empty()) {
      tell_refusal(request.server, request.service.value_or(""), actor, target.error());
      flush_audit();
    }
    done(base::Unexpected{target.error()});
    return;
  }
  const auto end = end_of(request, now.wall);
  if (!end) {
    done(base::Unexpected{end.error()});
    return;
  }
  std::vector<Change> more;
  const HoldKey key = key_of(*target, Origin::Operator);
  const Hold* standing = holds_.find(key);
  // One of which a new instance released a part is placed anew, over all that it names.
  const bool stood = standing != nullptr && standing->released.empty();
  if (!stood) {
    const auto broken = alone_->acts() ? alone_->broken_floor(*target) : broken_floor(*target);
    if (broken && !request.force) {
      Refusal refusal = floor_refusal(*broken);
      tell_refusal(key.server, key.service, actor, refusal);
      flush_audit();
      done(base::Unexpected{std::move(refusal)});
      return;
    }
    Hold hold = make_hold(*target, Origin::Operator);
    hold.by = actor.by;
    hold.reason = request.reason;
    hold.startup = request.startup;
    hold.hide_host = request.hide_host;
    hold.forced = request.force;
    hold.local = alone_->acts();
    // The host record is named until this hold is served: no horizon is known before.
    if (request.hide_host && !at(target->server).host_hidden) hold.horizons.clear();
    if (*end) {
      hold.expiry = Expiry{++schedule_, **end, request.then, false, own_clock()};
      more.emplace_back(ReserveSchedules{schedule_});
    }
    place(std::move(hold));
    if (request.expires && std::holds_alternative<base::Duration>(*request.expires)) {
      expiries_[key].ends = now.mono + std::get<base::Duration>(*request.expires);
    }
    say(EventType::Drain, key.server, key.service, actor, request.reason);
  } else if (lifting_.erase(key) > 0) {
    not_durable_[key] = ++orders_;  // its erasure is on the way to disk: write it after that
  }

  // Served and durable: the later of the two replies.
  struct Pending {
    bool served = false;
    bool stored = false;
    std::string store_error;
  };
  const auto pending = std::make_shared<Pending>();
  const auto finish = [this, pending, asked = now.mono, request, done = std::move(done),
                       ordered = publication_, warnings = drain_warnings(*target, request, stood)] {
    if (!pending->served || !pending->stored) return;
    drain_ack_seconds_.observe(clock_.now().mono - asked);
    if (!pending->store_error.empty()) {
      done(base::Unexpected{store_failed(pending->store_error)});
    } else {
      done(drain_reply(request, ordered, warnings));
    }
  };
  if (not_durable_.contains(key)) {
    commit_hold(
        key,
        [pending, finish](const Store::Stored& stored) {
          pending->stored = true;
          if (!stored) pending->store_error = stored.error();
          finish();
        },
        std::move(more));
  } else {
    pending->stored = true;
  }
  after_served([pending, finish] {
    pending->served = true;
    finish();
  });
}

DrainReply Authority::State::drain_reply(const DrainRequest& request, std::uint64_t ordered,
                                         std::vector<std::string> warnings) const {
  DrainReply reply;
  reply.generation = membership_->generation;
  name_responders(ordered, reply.confirmed_by, reply.unconfirmed);
  const bool here =
      request.local_force && settings_.cluster != nullptr && settings_.cluster->is_stale();
  if (here || alone_->hold_of(request) != nullptr) {
    reply.confirmed_by = {settings_.responder};
    reply.unconfirmed = others();
  }
  reply.warnings = std::move(warnings);
  const auto target = resolve(request.server, request.service);
  if (!target) return reply;  // a reload dropped it meanwhile: nothing names it
  const base::Now now = clock_.now();
  for (const std::size_t slot : slots_of(*target)) {
    if (!out_of_answers(target->server, slot)) continue;  // serve_held: it has no horizon
    const base::WallTime at = now.to_wall(horizon(target->server, slot));
    reply.cache_horizon = std::max(reply.cache_horizon.value_or(at), at);
  }
  return reply;
}

std::vector<std::string> Authority::State::drain_warnings(const Target& target,
                                                          const DrainRequest& request,
                                                          bool stood) const {
  std::vector<std::string> warnings;
  const Hold* hold = holds_.find(key_of(target, Origin::Operator));
  if (stood) warnings.push_back(stood_already(*hold, request));
  std::vector<std::string> automatic;
  for (const std::size_t slot : slots_of(target)) {
    const std::string& service = service_name(target.server, slot);
    if (hold->startup.value_or(startup(target.server, slot)) == config::Startup::Automatic) {
      automatic.push_back(service);
    }
  }
  if (!automatic.empty()) {
    // A hold that stands keeps its startup, whatever a drain says.
    warnings.push_back("startup automatic: a restart of " + join(automatic) + " lifts this hold" +
                       (stood ? "" : "; --startup manual keeps it"));
  }
  for (std::string& warning : shortage_warnings(target, request.force)) {
    warnings.push_back(std::move(warning));
  }
  if (!topology_->pools()[topology_->servers()[target.server].pool].dns_load_balancing) {
    warnings.push_back(
        "dns_load_balancing is false: the features that depend on DNS may not be rerouted, and "
        "sessions may be cut");
  }
  return warnings;
}

std::vector<std::string> Authority::State::shortage_warnings(const Target& target,
                                                             bool forced) const {
  std::vector<std::string> warnings;
  std::vector<std::string> empty;
  for (const std::size_t slot : slots_of(target)) {
    const ServicePoolId id = topology_->servers()[target.server].services[slot].service_pool;
    const ServicePool& pool = topology_->service_pools()[id];
    if (pool.answer_sets.empty()) continue;
    const Members& members = membership_->answer_sets[pool.answer_sets.front()];
    if (members.fallback != Fallback::None) {
      empty.push_back(std::string(topology_->answer_sets()[pool.answer_sets.front()].owner) + " (" +
                      to_string(members.fallback) + ")");
    }
  }
  if (!empty.empty()) {
    warnings.push_back("no accepting member is left; answered by fallback: " + join(empty));
  }
  if (forced && !below_floor(target).empty()) warnings.push_back("below the floor: forced");
  return warnings;
}

void Authority::State::resume(const std::string& server, const std::optional<std::string>& service,
                              const Actor& actor, Reply<ResumeReply> done) {
  const auto target = resolve(server, service);
  if (!target) {
    done(base::Unexpected{target.error()});
    return;
  }
  std::vector<HoldKey> keys;
  for (const Origin origin : {Origin::Operator, Origin::Schedule}) {
    const HoldKey key = key_of(*target, origin);
    if (holds_.find(key) != nullptr) keys.push_back(key);
  }
  const bool any = !keys.empty();
  const auto ordered = std::make_shared<std::optional<std::uint64_t>>();
  lift_in_order(std::move(keys), EventType::Resume, actor,
                [this, server, service, any, ordered, done](const Outcome<ResumeReply>& lifted) {
                  if (!lifted) {
                    done(lifted);
                    return;
                  }
                  const std::uint64_t publication = ordered->value_or(publication_);
                  after_served(publication, [this, server, service, any, publication, done] {
                    ask_host(server, service, any, publication, done);
                  });
                });
  // Of several responders it is in the answers, or on its way into them, by now.
  if (settings_.cluster != nullptr) *ordered = publication_;
}

// The host's own holds are the host's to lift: asks its agent, in the reply to its next heartbeat.
void Authority::State::ask_host(const std::string& server,
                                const std::optional<std::string>& service, bool lifted,
                                std::uint64_t ordered, Reply<ResumeReply> done) {
  LiftWait wait;
  wait.server = server;
  if (const auto target = resolve(server, service)) {
    for (const std::size_t slot : slots_of(*target)) {
      const HoldKey key{server, service_name(target->server, slot), Origin::Host};
      if (holds_.find(key) == nullptr) continue;
      at(target->server, slot).service.edit().lift = ServiceState::Lift::Asked;
      if (settings_.cluster != nullptr) {
        Hold* asked = holds_.find(key);
        asked->lift_asked = true;
        persist(*asked);
      }
      wait.services.push_back(key.service);
    }
  }
  if (wait.services.empty()) {
    reply_resumed(server, service, lifted, ordered, done);
    return;
  }
  // One heartbeat brings the request to the agent, its next one says that it is done.
  wait.deadline = clock_.now().mono + 2 * settings_.health.heartbeat;
  wait.finish = [this, server, service, lifted, done](bool by_agent) {
    if (by_agent) {
      after_served([this, server, service, by_then = publication_, done] {
        reply_resumed(server, service, true, by_then, done);
      });
      return;
    }
    std::string detail = server +
                         " is held by the host itself and its agent did not lift that in time; ask "
                         "there: sluice-agent resume";
    if (lifted) detail = "the operator's hold is lifted, but " + detail;
    Refusal refusal = refuse(Refusal::Kind::NoAnswer, std::move(detail));
    refusal.in_force = true;
    done(base::Unexpected{std::move(refusal)});
  };
  lift_waits_.push_back(std::move(wait));
}

void Authority::State::reply_resumed(const std::string& server,
                                     const std::optional<std::string>& service, bool lifted,
                                     std::uint64_t ordered, const Reply<ResumeReply>& done) const {
  ResumeReply reply;
  reply.generation = membership_->generation;
  if (settings_.cluster != nullptr) {
    name_responders(ordered, reply.confirmed_by, reply.unconfirmed);
  }
  if (const auto target = resolve(server, service)) {
    reply.warnings = resume_warnings(*target, lifted);
  }
  done(std::move(reply));
}

std::vector<std::string> Authority::State::resume_warnings(const Target& target,
                                                           bool lifted) const {
  std::vector<std::string> warnings;
  const HoldKey own = key_of(target, Origin::Operator);
  if (!lifted) warnings.push_back("there was no hold on " + name_of(own));
  std::vector<std::string> left;
  for (const Hold& hold : holds_.of(name(target.server))) {
    const bool concerns = !target.slot || hold.covers(own.service);
    if (concerns) left.push_back(name_of(hold.key) + " (" + to_string(hold.key.origin) + ")");
  }
  if (!left.empty()) warnings.push_back("still held: " + join(left));
  return warnings;
}

void Authority::State::force(const std::string& server, const std::optional<std::string>& service,
                             std::optional<Health> health, const Actor& actor,
                             Reply<ResumeReply> done) {
  const auto target = resolve(server, service);
  if (!target) {
    done(base::Unexpected{target.error()});
    return;
  }
  if (health == Health::Stopped) {
    done(base::Unexpected{refuse(Refusal::Kind::BadInput, "must be up, down or null", "health")});
    return;
  }
  std::vector<Change> changes;
  for (const std::size_t slot : slots_of(*target)) {
    ServiceState& state = at(target->server, slot).service.edit();
    state.forced = health;
    state.forced_by.edit() = health ? actor.by : "";
    state.forced_since = clock_.now().wall;
    changes.emplace_back(PutForce{std::string(name(target->server)),
                                  service_name(target->server, slot), health, *state.forced_by,
                                  state.forced_since});
  }
  // An operator has looked: the authority's doubt is over (semantics.md section 3, rule 5).
  const Lease& lease = at(target->server).agent->lease;
  if (health == Health::Down && lease.guarded()) {
    at(target->server).agent.edit().lease.guarded_until.reset();
  }
  say(health ? EventType::Force : EventType::Unforce, name(target->server), service.value_or(""),
      actor, health ? std::string("forced ") + to_string(*health) : "");
  republish_server(target->server);
  // No floor refuses this order: whoever gives it is to know what it leaves.
  std::vector<std::string> warnings;
  if (health == Health::Down) warnings = shortage_warnings(*target, true);
  commit(std::move(changes), Store::Urgency::First,
         [this, ordered = publication_, warnings = std::move(warnings),
          done](const Store::Stored& stored) {
           if (!stored) {
             done(base::Unexpected{store_failed(stored.error())});
             return;
           }
           after_served(ordered, [this, ordered, warnings, done] {
             ResumeReply reply{membership_->generation, warnings, {}, {}};
             if (settings_.cluster != nullptr) {
               name_responders(ordered, reply.confirmed_by, reply.unconfirmed);
             }
             done(std::move(reply));
           });
         });
}

}  // namespace sluice::health
