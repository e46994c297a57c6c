#include "tests/health/authority_model.h"

#include <rapidcheck.h>

namespace sluice::health::testing {

bool Model::exists(const Step& step) const {
  const ModelServer& server = servers[step.server];
  return server.configured && (step.service == 0 || server.services[step.service - 1].runs);
}

void Model::place(const Step& step, const Reason& reason) {
  for (const unsigned service : services_of(step)) {
    ModelService& model = servers[step.server].services[service];
    model.drop(reason.scope, reason.origin);
    model.reasons.push_back(reason);
    // Of what the configuration does not have nothing is known.
    if (exists(step)) model.reasons.back().placed_on = instance_now(model);
  }
}

base::MonoTime Model::not_after(const ModelPlan& plan) const {
  return plan.at - health.horizon_margin;
}

void Model::begin_plans() {
  for (auto each = plans.begin(); each != plans.end();) {
    const auto [step, plan] = each->second;
    if (not_after(plan) - health.resolver_min_ttl > clock.mono) {
      ++each;
      continue;
    }
    each = plans.erase(each);
    if (!plan.force && exists(step) && lowers_below_floor(step)) continue;
    check_forgotten_in_time(step, plan);
    Reason reason{scope_of(step), Origin::Schedule, {}, {}, plan.hide_host, {}, plan.then};
    if (plan.lasts) reason.ends = plan.at + *plan.lasts;
    if (!stands(step, Origin::Schedule)) {
      place(step, reason);
      continue;
    }
    // Two that overlap: the later end counts, and no end is later than any.
    for (const unsigned service : services_of(step)) {
      for (Reason& standing : servers[step.server].services[service].reasons) {
        if (!standing.is(reason.scope, reason.origin)) continue;
        standing.hide_host = standing.hide_host || reason.hide_host;
        if (!standing.ends || (reason.ends && *standing.ends >= *reason.ends)) continue;
        standing.ends = reason.ends;
        standing.then = reason.then;
      }
    }
  }
}

void Model::check_forgotten_in_time(const Step& step, const ModelPlan& plan) const {
  const auto longest = std::max<base::Duration>(30s, health.resolver_min_ttl);
  if (plan.at - plan.made < longest + health.horizon_margin) return;
  // It stood still at the moment when the server had to leave.
  const base::MonoTime leaves = plan.at - health.horizon_margin - health.resolver_min_ttl;
  if (leaves < clock.mono) return;
  for (const unsigned service : services_of(step)) {
    RC_ASSERT(servers[step.server].services[service].cached_until + health.horizon_margin <=
              plan.at);
  }
}

void Model::end_holds() {
  for (ModelServer& server : servers) {
    for (ModelService& service : server.services) {
      std::erase_if(service.reasons, [&](const Reason& reason) {
        return reason.ends && reason.then == Then::Lift && *reason.ends <= clock.mono;
      });
    }
  }
}

base::MonoTime Model::cap(unsigned index, const std::string& named) const {
  base::MonoTime cap = Members::kNoEnd;
  for (const auto& [id, each] : plans) {
    const auto& [step, plan] = each;
    const auto covered = services_of(step);
    if (std::find(covered.begin(), covered.end(), index) == covered.end()) continue;
    if (named.find(kLabels[step.server]) == std::string::npos) continue;
    cap = std::min(cap, not_after(plan));
  }
  return cap;
}

std::size_t Model::ending_holds() const {
  std::set<std::tuple<unsigned, unsigned, Scope, Origin>> holds;
  for (unsigned i = 0; i < 3; ++i) {
    for (unsigned s = 0; s < 2; ++s) {
      for (const Reason& reason : servers[i].services[s].reasons) {
        if (!reason.ends) continue;
        holds.insert({i, reason.scope == Scope::Server ? 2 : s, reason.scope, reason.origin});
      }
    }
  }
  return holds.size();
}

std::optional<std::string> Model::instance_now(const ModelService& service) {
  if (service.instance) return service.instance;
  if (service.said == Health::Stopped) return "stopped";
  return std::nullopt;
}

bool Model::stands(const Step& step, Origin origin) const {
  const auto services = services_of(step);
  return std::all_of(services.begin(), services.end(), [&](unsigned service) {
    return servers[step.server].services[service].reason(scope_of(step), origin) != nullptr;
  });
}

bool Model::lowers_below_floor(const Step& step) const {
  const auto services = services_of(step);
  return std::any_of(services.begin(), services.end(), [&](unsigned service) {
    if (!servers[step.server].services[service].runs) return false;
    const auto accepting = answer(service).accepting;
    return accepting.contains(step.server) && accepting.size() - 1 < floor;
  });
}

std::set<unsigned> Model::push(unsigned index) {
  ModelServer& server = servers[index];
  const ModelAgent& agent = agents[index];
  note_change(index);
  server.pushed = clock.mono;
  server.current = true;
  server.guarded_until.reset();
  std::set<unsigned> refused;
  for (const unsigned i : {1U, 0U}) {  // by name
    if (!server.services[i].runs) continue;
    if (!report(index, i, agent)) refused.insert(i);
  }
  end_grace();
  return refused;
}

void Model::note_change(unsigned index) {
  ModelAgent& agent = agents[index];
  for (unsigned i = 0; i < 2; ++i) {
    const ModelService& service = servers[index].services[i];
    const ModelAgent::Service& says = agent.services[i];
    if (service.said != says.health || service.sessions != says.sessions) {
      agent.changes.push_back(clock.mono);
      return;
    }
  }
}

bool Model::flaps(unsigned index) const {
  const auto& changes = agents[index].changes;
  return changes.size() >= 5 && clock.mono - changes[changes.size() - 5] < 10s;
}

bool Model::report(unsigned index, unsigned i, const ModelAgent& agent) {
  ModelServer& server = servers[index];
  ModelService& service = server.services[i];
  const ModelAgent::Service& says = agent.services[i];
  service.said = service.last_known = says.health;
  service.sessions = says.sessions;
  service.counted = clock.mono < caught_up ? fell_still : clock.mono;
  if (says.instance) {
    service.instance = "boot" + std::to_string(agent.boot) + "/" + std::to_string(*says.instance);
  } else if (says.health != Health::Stopped) {
    service.instance.reset();
    for (Reason& reason : service.reasons) reason.placed_on.reset();
  }
  if (service.instance) {
    for (Reason& reason : service.reasons) {
      if (!reason.placed_on) reason.placed_on = service.instance;
    }
  }
  const auto released = std::erase_if(service.reasons, [&](const Reason& reason) {
    const bool goes =
        service.instance && reason.placed_on != service.instance &&
        reason.startup.value_or(config::Startup::Automatic) == config::Startup::Automatic;
    if (goes && reason.origin == Origin::Host) service.pause_is_void = true;
    return goes;
  });
  if (released > 0) forget_released(server);
  if (!says.paused) {
    service.pause_is_void = false;
    service.drop(Scope::Service, Origin::Host);
    return true;
  }
  if (service.pause_is_void || service.reason(Scope::Service, Origin::Host)) return true;
  const auto accepting = answer(i).accepting;
  if (!says.paused->force && accepting.contains(index) && accepting.size() - 1 < floor) {
    return false;
  }
  Reason reason;
  reason.scope = Scope::Service;
  reason.origin = Origin::Host;
  reason.startup = says.paused->startup;
  reason.placed_on = instance_now(service);
  service.reasons.push_back(reason);
  return true;
}

void Model::forget_released(ModelServer& server) {
  for (const Origin origin : {Origin::Operator, Origin::Schedule}) {
    const bool left = std::any_of(
        server.services.begin(), server.services.end(), [&](const ModelService& service) {
          return service.runs && service.reason(Scope::Server, origin) != nullptr;
        });
    if (left) continue;
    for (ModelService& service : server.services) service.drop(Scope::Server, origin);
  }
}

base::MonoTime Model::lease_end(const ModelServer& server) const {
  return std::max(*server.pushed + health.lease, judged_from);
}

void Model::tick() {
  const base::MonoTime now = clock.mono;
  begin_plans();
  end_holds();
  for (ModelServer& server : servers) {
    if (!server.configured || !server.current || lease_end(server) > now) continue;
    std::size_t before = 0;
    std::vector<ModelServer*> lost;
    for (ModelServer& other : servers) {
      if (!other.configured || !other.current) continue;
      ++before;
      if (now - *other.pushed > 2 * health.heartbeat) lost.push_back(&other);
    }
    if (!server.guarded_until && 2 * lost.size() > before) {
      for (ModelServer* other : lost) other->guarded_until = now + health.mass_loss_hold;
    }
    server.current = false;
  }
  for (ModelServer& server : servers) {
    if (server.guarded() && std::max(*server.guarded_until, judged_from) <= now) {
      server.guarded_until.reset();
    }
  }
  end_grace();
}

void Model::end_grace() {
  std::size_t all = 0;
  std::size_t unheard = 0;
  for (const ModelServer& server : servers) {
    if (!server.configured) continue;
    ++all;
    unheard += server.pushed ? 0U : 1U;
  }
  const base::MonoTime now = clock.mono;
  const bool most = 2 * unheard > all;
  if (now >= began + health.lease && (!most || now >= began + health.mass_loss_hold)) {
    grace = false;
  }
}

void Model::restart() {
  caught_up = {};
  for (ModelServer& server : servers) {
    server.pushed.reset();
    server.current = false;
    server.guarded_until.reset();
    server.host_doubted_since = clock.mono;
    for (ModelService& service : server.services) forget_since_start(service);
  }
  grace = true;
  began = judged_from = clock.mono;
  begin_plans();
  end_holds();
}

void Model::forget_since_start(ModelService& service) const {
  service.said.reset();
  service.instance.reset();
  service.sessions.reset();
  service.pause_is_void = false;
  service.doubted_since = clock.mono;
}

void Model::configure(bool without_c, bool without_park) {
  ModelServer& c = servers[2];
  if (c.configured == without_c) {
    c.configured = !without_c;
    c.pushed.reset();
    c.current = false;
    c.guarded_until.reset();
    for (ModelService& service : c.services) {
      service.runs = !without_c;
      forget_since_start(service);
    }
  }
  ModelService& park = servers[1].services[1];
  if (park.runs == without_park) {
    park.runs = !without_park;
    forget_since_start(park);
  }
}

bool Model::vouched_up(const ModelServer& server, const ModelService& service) const {
  if (server.current && service.said) return service.said == Health::Up;
  if (server.guarded() && service.said) return service.said == Health::Up;
  return !service.said && grace && service.last_known.value_or(Health::Up) == Health::Up;
}

ModelAnswer Model::answer(unsigned index) const {
  ModelAnswer answer;
  std::set<unsigned> unhealthy;
  std::set<unsigned> held_up;
  for (unsigned i = 0; i < 3; ++i) {
    const ModelService& service = servers[i].services[index];
    if (!servers[i].configured || !service.runs) continue;
    const bool up = vouched_up(servers[i], service);
    const bool down = service.forced == Health::Down;
    if (!service.reasons.empty()) {
      if (servers[i].current && service.said == Health::Up && !down) held_up.insert(i);
      continue;
    }
    if (down) continue;
    unhealthy.insert(i);
    if (up || service.forced == Health::Up) answer.accepting.insert(i);
  }
  answer.members = answer.accepting;
  if (!answer.members.empty()) return answer;
  answer.members = unhealthy;
  answer.fallback = Fallback::NeverEmpty;
  if (!answer.members.empty()) return answer;
  answer.fallback = Fallback::NoData;
  if (policy == config::WhenAllHeld::Addresses) answer.fallback = Fallback::Addresses;
  if (policy == config::WhenAllHeld::ServeHeld && !held_up.empty()) {
    answer.members = held_up;
    answer.fallback = Fallback::ServeHeld;
  }
  return answer;
}

bool Model::hides_host(unsigned index) const {
  const ModelServer& server = servers[index];
  return std::any_of(server.services.begin(), server.services.end(),
                     [](const ModelService& service) {
                       return std::any_of(service.reasons.begin(), service.reasons.end(),
                                          [](const Reason& reason) { return reason.hide_host; });
                     });
}

base::MonoTime Model::kept_until(base::MonoTime cap) const {
  return std::max(std::min(clock.mono + ttl, cap), clock.mono + health.resolver_min_ttl);
}

void Model::note_sent(const std::array<std::string, 2>& named_by) {
  for (unsigned i = 0; i < 3; ++i) {
    if (!servers[i].configured) continue;
    for (unsigned s = 0; s < 2; ++s) {
      if (!servers[i].services[s].runs) continue;
      const std::string& named = named_by[s];
      if (named.find(kLabels[i]) == std::string::npos) continue;
      auto& cached = servers[i].services[s].cached_until;
      cached = std::max(cached, kept_until(cap(s, named)));
    }
    if (hides_host(i)) continue;
    base::MonoTime host_cap = Members::kNoEnd;
    for (const auto& [id, each] : plans) {
      const bool leaves = each.first.server == i && each.second.hide_host && exists(each.first);
      if (leaves) host_cap = std::min(host_cap, not_after(each.second));
    }
    servers[i].host_cached_until = std::max(servers[i].host_cached_until, kept_until(host_cap));
  }
}

}  // namespace sluice::health::testing
