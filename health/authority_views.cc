// What the authority tells about itself: copies, as of now.

#include <algorithm>
#include <utility>

#include "health/authority_state.h"

namespace sluice::health {
namespace {

// What an answer set that nobody accepts for is answered by.
std::string fallback_words(const std::string& owner, Fallback fallback) {
  switch (fallback) {
    case Fallback::None:
      break;
    case Fallback::NeverEmpty:
      return owner +
             " has no accepting server: answers name those that are down or unknown "
             "(never-empty)";
    case Fallback::ServeHeld:
      return owner + " has no accepting server: answers name held ones (when_all_held: serve_held)";
    case Fallback::Addresses:
      return owner +
             " has no server to name: answers are the last resort's addresses "
             "(when_all_held: addresses)";
    case Fallback::NoData:
      return owner + " has no server to name: answers are empty (when_all_held: nodata)";
  }
  return owner;
}

}  // namespace

Status Authority::State::status(ServerId id, std::size_t index, const base::Now& now) const {
  const Lease& lease = at(id).agent->lease;
  const ServiceState& service = *at(id, index).service;
  StatusInput input;
  input.lease_current = lease.current;
  input.health = service.health;
  const std::string& of = service_name(id, index);
  for (const Hold& hold : holds_.of(name(id))) {
    if (!hold.covers(of)) continue;
    input.held = true;
    input.newer_than_hold = input.newer_than_hold || outlived(hold, of, service);
  }
  // Of what is not held nobody asks.
  if (input.held) {
    input.at_zero =
        at_zero(known_sessions(service, fresh(id, now))) && counted_since_horizon(id, index);
    input.horizon_past = out_of_answers(id, index) && horizon(id, index) <= now.mono;
  }
  return status_of(input);
}

VerdictInput Authority::State::verdict_input(ServerId id, std::size_t index,
                                             const base::Now& now) const {
  const Lease& lease = at(id).agent->lease;
  const Naming& naming = at(id, index).naming;
  const ServiceState& service = *at(id, index).service;
  VerdictInput input;
  input.service = service_name(id, index);
  for (const Hold* hold : holds_.covering(name(id), input.service)) {
    input.held = true;
    input.durable = input.durable && !not_durable_.contains(hold->key);
    if (hold->local) input.unconfirmed = others();
  }
  input.balanced_by_dns = topology_->pools()[topology_->servers()[id].pool].dns_load_balancing;
  input.named = naming.named;
  const base::MonoTime end = horizon(id, index);
  if (!input.named && !out_of_answers(id, index)) {
    const std::uint64_t host = at(id).host_hidden ? at(id).host.leaving : 0;
    std::vector<std::string> confirmed;
    if (input.unconfirmed.empty()) {
      name_responders(std::max<std::uint64_t>(naming.leaving, host), confirmed, input.unconfirmed);
    }
    // Confirmed, and its time has not come to be looked at.
    if (input.unconfirmed.empty()) input.unconfirmed = {settings_.responder};
  } else if (!input.named && end > now.mono) {
    input.horizon = now.to_wall(end);
  }
  input.sessions = known_sessions(service, fresh(id, now));
  if (!input.sessions) {
    input.unknown_because = unknown_because(service, lease);
  } else if (input.held && out_of_answers(id, index) && end <= now.mono &&
             at_zero(input.sessions) && !counted_since_horizon(id, index)) {
    input.sessions.reset();
    input.unknown_because = "its agent has not counted them since the last cache forgot it";
  }
  const auto& hook = *service.hook;
  // What does not run takes no connections, whatever its hook did.
  if (hook && hook->state == "failed" && service.health != Health::Stopped) {
    input.hook_failed = hook->text;
  }
  const auto newest = service.last_new_connection;
  if (input.held && newest && out_of_answers(id, index) && *newest > end) {
    input.new_connection_ago = std::chrono::duration_cast<base::Duration>(now.mono - *newest);
  }
  return input;
}

Verdict Authority::State::verdict_of_slots(ServerId id, std::span<const std::size_t> slots,
                                           const base::Now& now) const {
  std::vector<VerdictInput> inputs;
  for (const std::size_t slot : slots) inputs.push_back(verdict_input(id, slot, now));
  Verdict verdict = verdict_of(inputs, now.wall);
  for (const std::size_t slot : slots) {
    for (const FloorCheck& below : below_floor({id, slot})) {
      verdict.warnings.push_back(below.answer_set + " has " + std::to_string(below.accepting) +
                                 " accepting, below its floor of " +
                                 std::to_string(below.min_accepting));
    }
  }
  if (!topology_->pools()[topology_->servers()[id].pool].dns_load_balancing) {
    verdict.warnings.emplace_back(
        "not by DNS: the features that depend on DNS load balancing may not be rerouted, and "
        "sessions may be cut");
  }
  return verdict;
}

HoldView Authority::State::hold_view(const Hold& hold, config::Startup service_default) const {
  HoldView view;
  view.scope = hold.key.scope();
  view.origin = hold.key.origin;
  view.by = hold.by;
  view.reason = hold.reason;
  view.since = hold.since;
  view.startup = hold.startup.value_or(service_default);
  view.forced = hold.forced;
  view.hide_host = hold.hide_host;
  view.local = hold.local;
  view.expiry = hold.expiry;
  return view;
}

ServiceView Authority::State::service_view(ServerId id, std::size_t index,
                                           const base::Now& now) const {
  const Lease& lease = at(id).agent->lease;
  const ServiceState& state = *at(id, index).service;
  const TopologyService& service =
      topology_->services()[topology_->servers()[id].services[index].service];
  ServiceView view;
  view.name = service.name;
  view.title = service.title;
  view.consolidates = service.consolidates;
  view.status = status(id, index, now);
  if (lease.current || lease.guarded()) view.health = state.health;
  view.forced = state.forced;
  view.instance = state.instance;
  view.startup = startup(id, index);
  view.sessions = known_sessions(state, fresh(id, now));
  if (state.last_new_connection) {
    view.last_new_connection =
        std::chrono::duration_cast<base::Duration>(now.mono - *state.last_new_connection);
  }
  view.in_answers = at(id, index).naming.named;
  if (out_of_answers(id, index)) view.cache_horizon = now.to_wall(horizon(id, index));
  for (const Hold* hold : holds_.covering(name(id), service.name)) {
    view.holds.push_back(hold_view(*hold, view.startup));
  }
  view.hook = *state.hook;
  const std::size_t only[] = {index};
  view.verdict = verdict_of_slots(id, only, now);
  return view;
}

ServerView Authority::State::server_view(ServerId id, const base::Now& now) const {
  const TopologyServer& from = topology_->servers()[id];
  const Lease& lease = at(id).agent->lease;
  ServerView view;
  view.server = from.fqdn;
  view.pool = topology_->pools()[from.pool].fqdn;
  view.addresses.assign(from.addresses.begin(), from.addresses.end());
  view.weight = from.weight;
  view.lease = state_of(lease);
  if (lease.current) {
    const base::MonoTime end =
        at(id).agent->voucher != 0 ? now.mono + settings_.health.lease : lease_end(lease);
    const auto left = std::chrono::duration_cast<base::Duration>(end - now.mono);
    view.lease_expires_in = std::max(left, base::Duration(0));
  }
  view.domain = from.domain;
  view.host_hidden = at(id).host_hidden;
  view.schedules = schedules_of(view.server);
  for (std::size_t slot = 0; slot < slot_count(id); ++slot) {
    view.services.push_back(service_view(id, slot, now));
    if (lease.current && !at(id, slot).service->health) {
      view.warnings.push_back("no agent pushes " + service_name(id, slot));
    }
  }
  view.verdict = verdict_of_slots(id, slots_of(Target{id, std::nullopt}), now);
  return view;
}

PoolView Authority::State::pool_view(PoolId id, const base::Now& now) const {
  const TopologyPool& pool = topology_->pools()[id];
  PoolView view;
  view.pool = pool.fqdn;
  view.service = topology_->services()[pool.service].name;
  view.generation = membership_->generation;
  view.ttl = pool.ttl;
  view.answer_size = pool.answer_size;
  view.last_resort.assign(pool.last_resort.begin(), pool.last_resort.end());
  view.min_accepting = topology_->answer_sets()[pool.first_answer_set].min_accepting;
  view.dns_load_balancing = pool.dns_load_balancing;
  view.mass_loss_guard = guard_active(id);
  const auto kept = horizon_of(base::MonoTime{}, pool.ttl, settings_.health) - base::MonoTime{};
  for (std::uint32_t i = 0; i < pool.answer_set_count; ++i) {
    const AnswerSetId set = pool.first_answer_set + i;
    const TopologyAnswerSet& from = topology_->answer_sets()[set];
    const Members& members = membership_->answer_sets[set];
    AnswerSetView shown;
    shown.owner = from.owner;
    shown.service =
        topology_->services()[topology_->service_pools()[from.service_pool].service].name;
    shown.fallback = members.fallback;
    shown.accepting = accepting_[from.service_pool];
    shown.min_accepting = from.min_accepting;
    shown.since = members.since;
    shown.cache_horizon = members.since + std::chrono::ceil<base::Duration>(kept);
    for (const ServerId server : members.servers) shown.members.emplace_back(name(server));
    if (members.fallback != Fallback::None) {
      view.warnings.push_back(fallback_words(shown.owner, members.fallback));
    }
    view.answer_sets.push_back(std::move(shown));
  }
  for (std::uint32_t i = 0; i < pool.server_count; ++i) {
    view.servers.push_back(server_view(pool.first_server + i, now));
  }
  if (view.mass_loss_guard) {
    view.warnings.emplace_back("mass-loss guard: the last known health of silent servers stands");
  }
  if (pools_[id].grace && pools_[id].unheard > 0) {
    view.warnings.emplace_back(
        "start grace: servers whose agents have not spoken yet are answered as last known");
  }
  return view;
}

bool Authority::State::guard_active(PoolId id) const {
  const TopologyPool& pool = topology_->pools()[id];
  for (std::uint32_t i = 0; i < pool.server_count; ++i) {
    if (at(pool.first_server + i).agent->lease.guarded()) return true;
  }
  return false;
}

std::vector<PoolView> Authority::State::pools(PoolId first, std::size_t count) const {
  const base::Now now = clock_.now();
  std::vector<PoolView> views;
  for (PoolId id = first; id < pools_.size() && views.size() < count; ++id) {
    views.push_back(pool_view(id, now));
  }
  return views;
}

std::optional<PoolView> Authority::State::pool(std::string_view fqdn) const {
  const auto id = topology_->pool(fqdn);
  if (!id) return std::nullopt;
  return pool_view(*id, clock_.now());
}

std::optional<ServerView> Authority::State::server(std::string_view fqdn) const {
  const auto id = topology_->server(fqdn);
  if (!id) return std::nullopt;
  return server_view(*id, clock_.now());
}

Outcome<Verdict> Authority::State::verdict(std::string_view server,
                                           const std::optional<std::string>& service) const {
  const auto target = resolve(std::string(server), service);
  if (!target) return base::Unexpected{target.error()};
  return verdict_of_slots(target->server, slots_of(*target), clock_.now());
}

std::vector<OrphanView> Authority::State::orphans() const {
  std::vector<OrphanView> orphans;
  for (const auto& [server, holds] : holds_.by_server()) {
    const auto id = topology_->server(server);
    for (const Hold& hold : holds) {
      const auto service = topology_->service(hold.key.service);
      const bool known = id && (hold.key.service.empty() ||
                                (service && topology_->servers()[*id].slot_of(*service)));
      if (!known) {
        orphans.push_back({server, hold.key.service, hold_view(hold, config::Startup::Automatic)});
      }
    }
  }
  return orphans;
}

}  // namespace sluice::health
