// The authority as a whole, driven by random histories. The model beside it knows nothing of
// publications, slots or hold records: it keeps, for each service on each server, the reasons why
// it takes no new connections, and reads semantics.md from there.

#include <algorithm>
#include <ostream>
#include <set>

#include <rapidcheck/gtest.h>

#include "tests/health/fixture.h"

namespace sluice::health::testing {

// One thing that happens. What `what` means is up to the kind.
struct Step {
  enum class Kind {
    Drain,
    Plan,
    Cancel,
    Resume,
    Force,
    Push,
    Pause,
    Silence,
    Time,
    Stall,
    Restart,
    Reload,
  };
  Kind kind = Kind::Time;
  unsigned server = 0;
  unsigned service = 0;  // 0: the whole server
  unsigned what = 0;
};

inline std::ostream& operator<<(std::ostream& out, const Step& step) {
  constexpr std::array<const char*, 12> kWords{"drain", "plan",  "cancel",  "resume",
                                               "force", "push",  "pause",   "silence",
                                               "time",  "stall", "restart", "reload"};
  return out << kWords[static_cast<std::size_t>(step.kind)] << ' ' << "abc"[step.server] << '/'
             << step.service << ' ' << step.what;
}

namespace {

constexpr std::array<const char*, 2> kServices{"front-end", "call-park"};
constexpr std::array<const char*, 3> kLabels{"a", "b", "c"};

rc::Gen<Step> any_step() {
  using Kind = Step::Kind;
  return rc::gen::build<Step>(
      rc::gen::set(&Step::kind, rc::gen::weightedElement<Kind>({{5, Kind::Drain},
                                                                {3, Kind::Plan},
                                                                {1, Kind::Cancel},
                                                                {4, Kind::Resume},
                                                                {2, Kind::Force},
                                                                {8, Kind::Push},
                                                                {2, Kind::Pause},
                                                                {3, Kind::Silence},
                                                                {8, Kind::Time},
                                                                {1, Kind::Stall},
                                                                {1, Kind::Restart},
                                                                {1, Kind::Reload}})),
      rc::gen::set(&Step::server, rc::gen::inRange(0U, 3U)),
      rc::gen::set(&Step::service, rc::gen::inRange(0U, 3U)),
      rc::gen::set(&Step::what, rc::gen::inRange(0U, 64U)));
}

// --- the model

// Why a service on a server takes no new connections.
struct Reason {
  Scope scope = Scope::Server;
  Origin origin = Origin::Operator;
  std::optional<config::Startup> startup;
  std::optional<std::string> placed_on;  // the instance; "stopped": whatever comes is another
  bool hide_host = false;
  std::optional<base::MonoTime> ends;
  Then then = Then::Lift;

  bool is(Scope with_scope, Origin with_origin) const {
    return scope == with_scope && origin == with_origin;
  }
};

struct ModelService {
  bool runs = true;  // the configuration gives it to this server
  std::vector<Reason> reasons;
  std::optional<Health> said;        // since the authority's start
  std::optional<Health> last_known;  // also from before
  std::optional<std::string> instance;
  std::optional<Sessions> sessions;
  std::optional<Health> forced;
  bool pause_is_void = false;  // a new instance released what the host still pushes
  base::MonoTime cached_until{};
  base::MonoTime doubted_since{};  // it may have been named until then

  const Reason* reason(Scope scope, Origin origin) const {
    for (const Reason& each : reasons) {
      if (each.is(scope, origin)) return &each;
    }
    return nullptr;
  }
  void drop(Scope scope, Origin origin) {
    std::erase_if(reasons, [&](const Reason& each) { return each.is(scope, origin); });
  }
};

struct ModelServer {
  bool configured = true;
  std::array<ModelService, 2> services;
  std::optional<base::MonoTime> pushed;
  bool current = false;
  std::optional<base::MonoTime> guarded_until;
  bool host_hidden = false;
  base::MonoTime host_cached_until{};
  base::MonoTime host_doubted_since{};

  bool guarded() const { return !current && guarded_until.has_value(); }
};

// A drain that is to come.
struct ModelPlan {
  base::MonoTime at;
  std::optional<base::Duration> lasts;
  Then then = Then::Lift;
  bool force = false;
  bool hide_host = false;
  base::MonoTime made;
};

// What the agent of a server would push.
struct ModelAgent {
  bool silent = false;
  std::vector<base::MonoTime> changes;  // when it said something new
  unsigned boot = 0;
  struct Service {
    Health health = Health::Up;
    std::optional<unsigned> instance = 0;
    std::optional<Sessions> sessions = Sessions{};
    std::optional<HostPause> paused;
  };
  std::array<Service, 2> services;
};

// Rules 2 to 6 for one service, from its sentences.
struct ModelAnswer {
  std::set<unsigned> members;
  std::set<unsigned> accepting;
  Fallback fallback = Fallback::None;
};

class World : public AuthorityTest {
 public:
  void TestBody() override {}

  World() {
    with.health.mass_loss_hold = 20s;
    with.health.resolver_min_ttl = std::chrono::seconds(*rc::gen::element(0, 0, 40));
    floor = *rc::gen::inRange(0U, 3U);
    with.pools.front().min_accepting = floor;
    policy = *rc::gen::element(config::WhenAllHeld::NoData, config::WhenAllHeld::ServeHeld,
                               config::WhenAllHeld::Addresses);
    with.pools.front().when_all_held = policy;
    start_reserved(with);
    began = clock.mono;
    note_sent();
  }

  void run(const std::vector<Step>& steps) {
    check();
    for (const Step& step : steps) {
      const std::uint64_t generation = authority->generation();
      const std::uint64_t published = publisher.publications - publisher.adjusted;
      const bool again = step.kind == Step::Kind::Restart;
      const bool done = take(step);
      if (!done) continue;
      note_sent();
      if (again) {
        RC_ASSERT(authority->generation() > generation);
      } else {
        RC_ASSERT(authority->generation() - generation ==
                  publisher.publications - publisher.adjusted - published);
      }
      check();
    }
  }

 private:
  // As the daemon does: the generations of this run are reserved before it begins.
  void start_reserved(const config::Config& configuration) {
    const std::uint64_t reserved = store.disk.generation + Authority::kGenerationBlock;
    start(configuration);
    store.disk.generation = std::max(store.disk.generation, reserved);
  }

  // --- steps: each is done to the authority and to the model

  bool take(const Step& step) {
    switch (step.kind) {
      case Step::Kind::Drain:
        return take_drain(step);
      case Step::Kind::Plan:
        return take_plan(step);
      case Step::Kind::Cancel:
        return take_cancel(step);
      case Step::Kind::Resume:
        return take_resume(step);
      case Step::Kind::Force:
        return take_force(step);
      case Step::Kind::Push:
        return take_push(step);
      case Step::Kind::Pause:
        return take_pause(step);
      case Step::Kind::Silence:
        agents[step.server].silent = step.what % 3 != 0;
        return false;
      case Step::Kind::Time:
        for (unsigned i = 0; i <= step.what % 4; ++i) second();
        return true;
      case Step::Kind::Stall:
        stall();
        return true;
      case Step::Kind::Restart:
        model_restart();
        start_reserved(config);
        return true;
      case Step::Kind::Reload:
        return take_reload(step);
    }
    return false;
  }

  std::vector<unsigned> services_of(const Step& step) const {
    if (step.service == 0) return {0, 1};
    return {step.service - 1};
  }
  std::optional<std::string> service_name(const Step& step) const {
    if (step.service == 0) return std::nullopt;
    return kServices[step.service - 1];
  }
  static Scope scope_of(const Step& step) {
    return step.service == 0 ? Scope::Server : Scope::Service;
  }
  bool exists(const Step& step) const {
    const ModelServer& server = servers[step.server];
    return server.configured && (step.service == 0 || server.services[step.service - 1].runs);
  }

  bool take_drain(const Step& step) {
    DrainRequest request;
    request.server = std::string(kLabels[step.server]) + ".pool.example";
    request.service = service_name(step);
    request.force = step.what % 2 == 1;
    request.hide_host = step.what / 2 % 4 == 0;
    if (step.what / 8 % 3 == 1) request.startup = config::Startup::Manual;
    if (step.what / 8 % 3 == 2) request.startup = config::Startup::Automatic;
    if (step.what / 4 % 3 == 0) {
      request.expires = 1s * (1 + step.what % 5);
      request.then = step.what % 3 == 0 ? Then::Alarm : Then::Lift;
    }
    const bool exists_here = exists(step);
    const bool stood = stands(step, Origin::Operator);
    const bool refused = exists_here && !stood && !request.force && lowers_below_floor(step);
    const auto reply = drain(request);
    RC_ASSERT(reply.has_value());
    if (!exists_here) {
      RC_ASSERT(!reply->has_value());
      return true;
    }
    if (refused) {
      RC_ASSERT(!reply->has_value());
      RC_ASSERT(reply->error().rule == "floor");
      RC_ASSERT(reply->error().numbers.at("would_leave") < floor);
      return true;
    }
    RC_ASSERT(reply->has_value());
    if (stood) return true;
    std::optional<base::MonoTime> ends;
    if (request.expires) ends = clock.mono + std::get<base::Duration>(*request.expires);
    place(step, {scope_of(step),
                 Origin::Operator,
                 request.startup,
                 {},
                 request.hide_host,
                 ends,
                 request.then});
    return true;
  }

  void place(const Step& step, const Reason& reason) {
    for (const unsigned service : services_of(step)) {
      ModelService& model = servers[step.server].services[service];
      model.drop(reason.scope, reason.origin);
      model.reasons.push_back(reason);
      // Of what the configuration does not have nothing is known.
      if (exists(step)) model.reasons.back().placed_on = instance_now(model);
    }
  }

  // --- planned drains

  bool take_plan(const Step& step) {
    PlanRequest request;
    request.drain.server = std::string(kLabels[step.server]) + ".pool.example";
    request.drain.service = service_name(step);
    request.at = 1s * (1 + 7 * (step.what % 8));
    ModelPlan plan;
    plan.at = clock.mono + std::get<base::Duration>(request.at);
    plan.made = clock.mono;
    plan.force = request.drain.force = step.what / 8 % 2 == 0;
    plan.hide_host = request.drain.hide_host = step.what / 16 == 0;
    if (step.what / 16 > 1) {
      request.drain.expires = plan.lasts = 4s;
      plan.then = request.drain.then = step.what / 16 == 2 ? Then::Lift : Then::Alarm;
    }
    std::optional<Outcome<ScheduleView>> reply;
    authority->plan(request, {"operations", "test"},
                    [&](Outcome<ScheduleView> outcome) { reply = std::move(outcome); });
    served();
    RC_ASSERT(reply.has_value());
    RC_ASSERT(reply->has_value() == exists(step));
    if (!exists(step)) return true;
    RC_ASSERT((*reply)->at == clock.now().to_wall(plan.at));
    plans.emplace((*reply)->id, std::pair(step, plan));
    return true;
  }

  bool take_cancel(const Step& step) {
    const auto schedules = authority->schedules();
    if (schedules.empty()) return false;
    const ScheduleView picked = schedules[step.what % schedules.size()];
    std::optional<Outcome<ScheduleView>> reply;
    authority->cancel(picked.id, {"operations", "test"},
                      [&](Outcome<ScheduleView> outcome) { reply = std::move(outcome); });
    served();
    RC_ASSERT(reply.has_value());
    RC_ASSERT(reply->has_value());
    if (picked.kind == ScheduleView::Kind::Drain) {
      RC_ASSERT(plans.erase(picked.id) == 1);
      return true;
    }
    // The hold stands for good.
    ModelServer& server = servers[static_cast<unsigned>(picked.server.front() - 'a')];
    std::size_t found = 0;
    for (unsigned i = 0; i < 2; ++i) {
      for (Reason& reason : server.services[i].reasons) {
        const bool names =
            reason.scope == Scope::Server ? picked.service.empty() : picked.service == kServices[i];
        if (!names || !reason.ends || clock.now().to_wall(*reason.ends) != picked.at) continue;
        if (picked.then != reason.then) continue;
        // Two that end together differ by who placed them: the cancelled one shows no end.
        if (server.configured && server.services[i].runs && shows_end(picked.server, i, reason)) {
          continue;
        }
        ++found;
        reason.ends.reset();
      }
    }
    RC_ASSERT(found > 0);
    return true;
  }

  bool shows_end(const std::string& server, unsigned service, const Reason& reason) const {
    const auto shown = view(server.substr(0, 1), kServices[service]).holds;
    return std::any_of(shown.begin(), shown.end(), [&](const HoldView& hold) {
      return hold.scope == reason.scope && hold.origin == reason.origin && hold.expiry;
    });
  }

  base::MonoTime not_after(const ModelPlan& plan) const {
    return plan.at - with.health.horizon_margin;
  }

  // Plans whose time has come, in the order in which they were made.
  void begin_plans() {
    for (auto each = plans.begin(); each != plans.end();) {
      const auto [step, plan] = each->second;
      if (not_after(plan) - with.health.resolver_min_ttl > clock.mono) {
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

  // Section 7's promise, to a plan that was made early enough for it.
  void check_forgotten_in_time(const Step& step, const ModelPlan& plan) const {
    const auto longest = std::max<base::Duration>(30s, with.health.resolver_min_ttl);
    if (plan.at - plan.made < longest + with.health.horizon_margin) return;
    // It stood still at the moment when the server had to leave.
    const base::MonoTime leaves =
        plan.at - with.health.horizon_margin - with.health.resolver_min_ttl;
    if (leaves < clock.mono) return;
    for (const unsigned service : services_of(step)) {
      RC_ASSERT(servers[step.server].services[service].cached_until + with.health.horizon_margin <=
                plan.at);
    }
  }

  void end_holds() {
    for (ModelServer& server : servers) {
      for (ModelService& service : server.services) {
        std::erase_if(service.reasons, [&](const Reason& reason) {
          return reason.ends && reason.then == Then::Lift && *reason.ends <= clock.mono;
        });
      }
    }
  }

  // The earliest plan of a member: what its answer's TTL must end by.
  base::MonoTime cap(unsigned index, const std::string& named) const {
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

  std::size_t ending_holds() const {
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

  // An instance that is not known yet is adopted; one of a service that is stopped is over.
  static std::optional<std::string> instance_now(const ModelService& service) {
    if (service.instance) return service.instance;
    if (service.said == Health::Stopped) return "stopped";
    return std::nullopt;
  }

  // Whether the hold of this scope covers all that it names.
  bool stands(const Step& step, Origin origin) const {
    const auto services = services_of(step);
    return std::all_of(services.begin(), services.end(), [&](unsigned service) {
      return servers[step.server].services[service].reason(scope_of(step), origin) != nullptr;
    });
  }

  bool lowers_below_floor(const Step& step) const {
    const auto services = services_of(step);
    return std::any_of(services.begin(), services.end(), [&](unsigned service) {
      if (!servers[step.server].services[service].runs) return false;
      const auto accepting = answer(service).accepting;
      return accepting.contains(step.server) && accepting.size() - 1 < floor;
    });
  }

  bool take_resume(const Step& step) {
    const auto reply = resume(kLabels[step.server], service_name(step));
    if (!exists(step)) {
      RC_ASSERT(reply->has_value());
      RC_ASSERT(!(*reply)->has_value());
      return true;
    }
    // The host's own holds are for its agent to lift, at its next push.
    bool host_holds = false;
    for (const unsigned service : services_of(step)) {
      ModelService& model = servers[step.server].services[service];
      model.drop(scope_of(step), Origin::Operator);
      model.drop(scope_of(step), Origin::Schedule);
      host_holds =
          host_holds || (model.runs && model.reason(Scope::Service, Origin::Host) != nullptr);
    }
    RC_ASSERT(reply->has_value() == !host_holds);
    if (!host_holds) RC_ASSERT((*reply)->has_value());
    return true;
  }

  bool take_force(const Step& step) {
    if (!servers[step.server].configured) return false;
    std::optional<Health> health;
    if (step.what % 3 == 1) health = Health::Up;
    if (step.what % 3 == 2) health = Health::Down;
    force(kLabels[step.server], health);
    for (ModelService& service : servers[step.server].services) {
      if (service.runs) service.forced = health;
    }
    if (health == Health::Down && servers[step.server].guarded()) {
      servers[step.server].guarded_until.reset();
    }
    return true;
  }

  bool take_push(const Step& step) {
    ModelAgent& agent = agents[step.server];
    for (unsigned i = 0; i < 2; ++i) {
      if (step.service != 0 && step.service - 1 != i) continue;
      ModelAgent::Service& service = agent.services[i];
      switch (step.what % 16) {
        case 0:
        case 1:
          service.health = Health::Down;
          break;
        case 2:
          service.health = Health::Stopped;
          break;
        case 3:
        case 4:
          service.instance = service.instance.value_or(7) + 1;
          break;
        case 5:
          service.instance.reset();
          break;
        case 6:
          service.sessions.reset();
          break;
        case 7:
          service.sessions = Sessions{{"calls", 2}, {"registrations", 0}};
          break;
        case 8:
          service.sessions = Sessions{{"calls", 0}};
          break;
        case 9:
          if (i == 0) ++agent.boot;
          break;
        default:
          service.health = Health::Up;
          break;
      }
    }
    push_now(step.server);
    return true;
  }

  bool take_pause(const Step& step) {
    const unsigned index = step.service % 2;
    ModelAgent::Service& service = agents[step.server].services[index];
    if (service.paused) {
      service.paused.reset();
    } else {
      service.paused = HostPause{"root", "patch", clock.wall, std::nullopt, step.what % 2 == 1};
      if (step.what / 2 % 3 == 1) service.paused->startup = config::Startup::Manual;
    }
    push_now(step.server);
    return true;
  }

  void push_now(unsigned index) {
    if (!servers[index].configured) return;
    const ModelAgent& agent = agents[index];
    Heartbeat heartbeat{"boot" + std::to_string(agent.boot), ++seq, {}};
    for (unsigned i = 0; i < 2; ++i) {
      if (!servers[index].services[i].runs) continue;
      const ModelAgent::Service& says = agent.services[i];
      ServiceReport report;
      report.health = says.health;
      if (says.instance) report.instance = std::to_string(*says.instance);
      report.sessions = says.sessions;
      report.paused = says.paused;
      heartbeat.services.emplace(kServices[i], report);
    }
    const std::uint64_t published = publisher.publications;
    const auto reply = push(kLabels[index], heartbeat);
    RC_ASSERT(reply.has_value());
    RC_ASSERT(reply->has_value());
    const std::set<unsigned> refused = model_push(index);
    for (unsigned i = 0; i < 2; ++i) {
      const auto order = (*reply)->services.find(kServices[i]);
      if (order == (*reply)->services.end()) continue;
      RC_ASSERT(order->second.refused.has_value() == refused.contains(i));
      // It is said once no worker names the service: not yet, where this push changed answers.
      const bool held = !servers[index].services[i].reasons.empty();
      RC_ASSERT(!order->second.held || held);
      RC_ASSERT(order->second.held || !held || publisher.publications > published);
      // An agent does as it is told.
      if (order->second.lift || order->second.refused) agents[index].services[i].paused.reset();
    }
  }

  // The services whose pause is refused.
  std::set<unsigned> model_push(unsigned index) {
    ModelServer& server = servers[index];
    const ModelAgent& agent = agents[index];
    note_change(index);
    server.pushed = clock.mono;
    server.current = true;
    server.guarded_until.reset();
    std::set<unsigned> refused;
    for (const unsigned i : {1U, 0U}) {  // by name
      if (!server.services[i].runs) continue;
      if (!model_report(index, i, agent)) refused.insert(i);
    }
    end_grace();
    return refused;
  }

  // What it says is new, or what comes of it may be.
  void note_change(unsigned index) {
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

  // An agent that flaps: five changes at once, then one a second. What it said last may wait.
  bool flaps(unsigned index) const {
    const auto& changes = agents[index].changes;
    return changes.size() >= 5 && clock.mono - changes[changes.size() - 5] < 10s;
  }

  bool model_report(unsigned index, unsigned i, const ModelAgent& agent) {
    ModelServer& server = servers[index];
    ModelService& service = server.services[i];
    const ModelAgent::Service& says = agent.services[i];
    service.said = service.last_known = says.health;
    service.sessions = says.sessions;
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

  // A server's hold goes with the last of its services.
  static void forget_released(ModelServer& server) {
    for (const Origin origin : {Origin::Operator, Origin::Schedule}) {
      const bool left = std::any_of(
          server.services.begin(), server.services.end(), [&](const ModelService& service) {
            return service.runs && service.reason(Scope::Server, origin) != nullptr;
          });
      if (left) continue;
      for (ModelService& service : server.services) service.drop(Scope::Server, origin);
    }
  }

  // --- time

  void second() {
    note_sent();
    clock.advance(1s);
    note_sent();
    for (unsigned i = 0; i < 3; ++i) {
      if (!agents[i].silent) push_now(i);
    }
    note_sent();  // what a push brought in, a plan may take out at once
    authority->tick();
    served();
    model_tick();
  }

  // Stopped for longer than a lease: nobody is judged before one more lease is over.
  void stall() {
    note_sent();
    clock.advance(9s);
    note_sent();
    authority->tick();
    served();
    judged_from = clock.mono + with.health.lease;
    began = std::max(began, clock.mono);
    model_tick();
  }

  base::MonoTime lease_end(const ModelServer& server) const {
    return std::max(*server.pushed + with.health.lease, judged_from);
  }

  void model_tick() {
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
        if (now - *other.pushed > 2 * with.health.heartbeat) lost.push_back(&other);
      }
      if (!server.guarded_until && 2 * lost.size() > before) {
        for (ModelServer* other : lost) other->guarded_until = now + with.health.mass_loss_hold;
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

  void end_grace() {
    std::size_t all = 0;
    std::size_t unheard = 0;
    for (const ModelServer& server : servers) {
      if (!server.configured) continue;
      ++all;
      unheard += server.pushed ? 0U : 1U;
    }
    const base::MonoTime now = clock.mono;
    const bool most = 2 * unheard > all;
    if (now >= began + with.health.lease && (!most || now >= began + with.health.mass_loss_hold)) {
      grace = false;
    }
  }

  void model_restart() {
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

  void forget_since_start(ModelService& service) const {
    service.said.reset();
    service.instance.reset();
    service.sessions.reset();
    service.pause_is_void = false;
    service.doubted_since = clock.mono;
  }

  bool take_reload(const Step& step) {
    config::Config next = with;
    ttl = std::chrono::seconds(step.what % 2 == 0 ? 30 : 5);
    next.pools.front().ttl = ttl;
    const bool without_c = step.what / 2 % 3 == 1;
    const bool without_park = step.what / 6 % 3 == 1;
    if (without_c) next.pools.front().servers.pop_back();
    if (without_park) {
      next.pools.front().servers[1].services = base::SharedList<std::string>{"front-end"};
    }
    config = next;
    authority->reconfigure(std::make_shared<Topology>(config), config.health);
    served();
    model_presence(without_c, without_park);
    return true;
  }

  void model_presence(bool without_c, bool without_park) {
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

  // --- what must be true after each step

  bool vouched_up(const ModelServer& server, const ModelService& service) const {
    if (server.current && service.said) return service.said == Health::Up;
    if (server.guarded() && service.said) return service.said == Health::Up;
    return !service.said && grace && service.last_known.value_or(Health::Up) == Health::Up;
  }

  ModelAnswer answer(unsigned index) const {
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

  static std::string labels(const std::set<unsigned>& members) {
    std::string text;
    for (const unsigned member : members) text += kLabels[member];
    return text;
  }

  bool hides_host(unsigned index) const {
    const ModelServer& server = servers[index];
    return std::any_of(server.services.begin(), server.services.end(),
                       [](const ModelService& service) {
                         return std::any_of(service.reasons.begin(), service.reasons.end(),
                                            [](const Reason& reason) { return reason.hide_host; });
                       });
  }

  // How long caches keep an answer that is sent now: its TTL ends by the cap.
  base::MonoTime kept_until(base::MonoTime cap) const {
    return std::max(std::min(clock.mono + ttl, cap), clock.mono + with.health.resolver_min_ttl);
  }

  // Answers were sent until now: caches keep what they named.
  void note_sent() {
    for (unsigned i = 0; i < 3; ++i) {
      if (!servers[i].configured) continue;
      for (unsigned s = 0; s < 2; ++s) {
        if (!servers[i].services[s].runs) continue;
        const std::string named = members(s == 0 ? kPool : kCallPark);
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

  void check() {
    if (flaps(0) || flaps(1) || flaps(2)) {
      // Nobody who is held comes in by it; the truth is there after a second.
      check_holds();
      second();
      note_sent();
    }
    for (unsigned index = 0; index < 2; ++index) check_answers(index);
    RC_ASSERT(authority->schedules().size() == plans.size() + ending_holds());
    for (unsigned i = 0; i < 3; ++i) {
      if (!servers[i].configured) continue;
      const auto id = authority->topology()->server(std::string(kLabels[i]) + ".pool.example");
      const auto& hidden = publisher.current->hidden_hosts;
      RC_ASSERT((std::find(hidden.begin(), hidden.end(), *id) != hidden.end()) == hides_host(i));
      for (unsigned s = 0; s < 2; ++s) {
        if (servers[i].services[s].runs) check_service(i, s);
      }
    }
  }

  // Rule 2, whatever else is under way.
  void check_holds() const {
    for (unsigned index = 0; index < 2; ++index) {
      const AnswerSetId set = index == 0 ? kPool : kCallPark;
      if (fallback(set) == Fallback::ServeHeld) continue;
      for (const char label : members(set)) {
        RC_ASSERT(servers[static_cast<unsigned>(label - 'a')].services[index].reasons.empty());
      }
    }
  }

  void check_answers(unsigned index) {
    const ModelAnswer expected = answer(index);
    const std::vector<AnswerSetId> sets =
        index == 0 ? std::vector<AnswerSetId>{kPool, kSrv} : std::vector<AnswerSetId>{kCallPark};
    for (const AnswerSetId set : sets) {
      RC_ASSERT(members(set) == labels(expected.members));
      RC_ASSERT(fallback(set) == expected.fallback);
      RC_ASSERT(publisher.current->answer_sets[set].not_after == cap(index, members(set)));
      const auto& owner = authority->topology()->answer_sets()[set].owner;
      const auto explained = authority->explain(owner);
      RC_ASSERT(explained.has_value());
      RC_ASSERT(explained->fallback == expected.fallback);
      std::string in;
      for (const ExplainedMember& member : explained->members) {
        if (member.in) in += member.server.front();
        const auto server = static_cast<unsigned>(member.server.front() - 'a');
        const bool held = !servers[server].services[index].reasons.empty();
        RC_ASSERT((member.rule == "hold" || member.rule == "serve-held") == held);
        RC_ASSERT(!member.text.empty());
      }
      RC_ASSERT(in == members(set));
    }
  }

  void check_service(unsigned i, unsigned s) {
    const ModelServer& server = servers[i];
    const ModelService& model = server.services[s];
    const ServiceView shown = view(kLabels[i], kServices[s]);
    RC_ASSERT(shown.holds.size() == model.reasons.size());
    RC_ASSERT(shown.forced == model.forced);
    const bool known = server.current && model.said.has_value();
    const bool stopped = model.said == Health::Stopped;
    std::uint64_t left = 0;
    for (const auto& [counter, count] : model.sessions.value_or(Sessions{})) left += count;
    // What is older than a lease is not known, though a lease that nobody could judge goes on.
    const bool counted = known && clock.mono <= *server.pushed + with.health.lease;
    const bool zero = counted && (stopped || (model.sessions && left == 0));
    const bool named = members(s == 0 ? kPool : kCallPark).find(kLabels[i]) != std::string::npos;
    RC_ASSERT(shown.in_answers == named);

    // No cache that honours TTLs has it; and, what a restart or a reload made it doubt, likewise.
    base::MonoTime forgotten = model.cached_until;
    if (hides_host(i)) forgotten = std::max(forgotten, server.host_cached_until);
    forgotten += with.health.horizon_margin;
    const auto most = std::max<base::Duration>(30s, with.health.resolver_min_ttl);
    const base::MonoTime surely =
        std::max(forgotten, std::max(model.doubted_since,
                                     hides_host(i) ? server.host_doubted_since : base::MonoTime{}) +
                                most + with.health.horizon_margin);
    const bool gone = !named && forgotten <= clock.mono;
    const bool surely_gone = !named && surely <= clock.mono;
    const bool held = !model.reasons.empty();
    const bool newer =
        std::any_of(model.reasons.begin(), model.reasons.end(), [&](const Reason& reason) {
          return model.instance && reason.placed_on && reason.placed_on != model.instance;
        });
    std::set<Status> may;
    if (!known) {
      may = {Status::Unknown};
    } else if (stopped || (model.said == Health::Down && !held)) {
      may = {Status::Down};
    } else if (!held) {
      may = {Status::Accepting};
    } else if (newer) {
      may = {Status::Held};
    } else {
      if (zero && gone) may.insert(Status::Drained);
      if (!zero || !surely_gone) may.insert(Status::Draining);
    }
    RC_ASSERT(may.contains(shown.status));

    const std::optional<std::string> service = kServices[s];
    const auto verdict = authority->verdict(std::string(kLabels[i]) + ".pool.example", service);
    RC_ASSERT(verdict.has_value());
    const bool may_be_safe = held && zero && gone;
    const bool must_be_safe = held && zero && surely_gone;
    RC_ASSERT(!verdict->safe_to_stop || may_be_safe);
    RC_ASSERT(verdict->safe_to_stop || !must_be_safe);
    RC_ASSERT(verdict->reasons.empty() == verdict->safe_to_stop);
  }

  config::Config with = test_config();
  config::WhenAllHeld policy = config::WhenAllHeld::NoData;
  unsigned floor = 1;
  std::chrono::seconds ttl{30};
  std::array<ModelServer, 3> servers;
  std::array<ModelAgent, 3> agents;
  std::map<ScheduleId, std::pair<Step, ModelPlan>> plans;
  bool grace = true;
  base::MonoTime began{};        // the grace
  base::MonoTime judged_from{};  // no lease before
};

RC_GTEST_PROP(AuthorityProperty, AnswersAsTheModelDoesThroughAnyHistory, ()) {
  const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
  World().run(steps);
}

}  // namespace
}  // namespace sluice::health::testing
