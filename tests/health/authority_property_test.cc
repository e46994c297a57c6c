// The authority as a whole, driven by random histories: after each step it must be what its model
// says (authority_model.h).

#include <algorithm>

#include <rapidcheck/gtest.h>

#include "tests/health/authority_model.h"

namespace sluice::health::testing {
namespace {

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

class World : public AuthorityTest {
 public:
  void TestBody() override {}

  World() {
    with.health.mass_loss_hold = 20s;
    with.health.resolver_min_ttl = std::chrono::seconds(*rc::gen::element(0, 0, 40));
    truth.floor = *rc::gen::inRange(0U, 3U);
    with.pools.front().min_accepting = truth.floor;
    truth.policy = *rc::gen::element(config::WhenAllHeld::NoData, config::WhenAllHeld::ServeHeld,
                                     config::WhenAllHeld::Addresses);
    with.pools.front().when_all_held = truth.policy;
    truth.health = with.health;
    start_reserved(with);
    truth.began = clock.mono;
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
        truth.agents[step.server].silent = step.what % 3 != 0;
        return false;
      case Step::Kind::Time:
        for (unsigned i = 0; i <= step.what % 4; ++i) second();
        return true;
      case Step::Kind::Stall:
        stall();
        return true;
      case Step::Kind::Restart:
        truth.restart();
        start_reserved(config);
        return true;
      case Step::Kind::Reload:
        return take_reload(step);
    }
    return false;
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
    const bool exists_here = truth.exists(step);
    const bool stood = truth.stands(step, Origin::Operator);
    const bool refused = exists_here && !stood && !request.force && truth.lowers_below_floor(step);
    const auto reply = drain(request);
    RC_ASSERT(reply.has_value());
    if (!exists_here) {
      RC_ASSERT(!reply->has_value());
      return true;
    }
    if (refused) {
      RC_ASSERT(!reply->has_value());
      RC_ASSERT(reply->error().rule == "floor");
      RC_ASSERT(reply->error().numbers.at("would_leave") < truth.floor);
      return true;
    }
    RC_ASSERT(reply->has_value());
    if (stood) return true;
    std::optional<base::MonoTime> ends;
    if (request.expires) ends = clock.mono + std::get<base::Duration>(*request.expires);
    truth.place(step, {scope_of(step),
                       Origin::Operator,
                       request.startup,
                       {},
                       request.hide_host,
                       ends,
                       request.then});
    return true;
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
    RC_ASSERT(reply->has_value() == truth.exists(step));
    if (!truth.exists(step)) return true;
    RC_ASSERT((*reply)->at == clock.now().to_wall(plan.at));
    truth.plans.emplace((*reply)->id, std::pair(step, plan));
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
      RC_ASSERT(truth.plans.erase(picked.id) == 1);
      return true;
    }
    // The hold stands for good.
    ModelServer& server = truth.servers[static_cast<unsigned>(picked.server.front() - 'a')];
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

  bool take_resume(const Step& step) {
    const auto reply = resume(kLabels[step.server], service_name(step));
    if (!truth.exists(step)) {
      RC_ASSERT(reply->has_value());
      RC_ASSERT(!(*reply)->has_value());
      return true;
    }
    // The host's own holds are for its agent to lift, at its next push.
    bool host_holds = false;
    for (const unsigned service : services_of(step)) {
      ModelService& model = truth.servers[step.server].services[service];
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
    if (!truth.servers[step.server].configured) return false;
    std::optional<Health> health;
    if (step.what % 3 == 1) health = Health::Up;
    if (step.what % 3 == 2) health = Health::Down;
    force(kLabels[step.server], health);
    for (ModelService& service : truth.servers[step.server].services) {
      if (service.runs) service.forced = health;
    }
    if (health == Health::Down && truth.servers[step.server].guarded()) {
      truth.servers[step.server].guarded_until.reset();
    }
    return true;
  }

  bool take_push(const Step& step) {
    ModelAgent& agent = truth.agents[step.server];
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
    ModelAgent::Service& service = truth.agents[step.server].services[index];
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
    if (!truth.servers[index].configured) return;
    const ModelAgent& agent = truth.agents[index];
    Heartbeat heartbeat{"boot" + std::to_string(agent.boot), ++seq, {}};
    for (unsigned i = 0; i < 2; ++i) {
      if (!truth.servers[index].services[i].runs) continue;
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
    const std::set<unsigned> refused = truth.push(index);
    for (unsigned i = 0; i < 2; ++i) {
      const auto order = (*reply)->services.find(kServices[i]);
      if (order == (*reply)->services.end()) continue;
      RC_ASSERT(order->second.refused.has_value() == refused.contains(i));
      // It is said once no worker names the service: not yet, where this push changed answers.
      const bool held = !truth.servers[index].services[i].reasons.empty();
      RC_ASSERT(!order->second.held || held);
      RC_ASSERT(order->second.held || !held || publisher.publications > published);
      // An agent does as it is told.
      if (order->second.lift || order->second.refused)
        truth.agents[index].services[i].paused.reset();
    }
  }

  // --- time

  void second() {
    note_sent();
    clock.advance(1s);
    note_sent();
    for (unsigned i = 0; i < 3; ++i) {
      if (!truth.agents[i].silent) push_now(i);
    }
    note_sent();  // what a push brought in, a plan may take out at once
    authority->tick();
    served();
    truth.tick();
  }

  // Stopped for longer than a lease: nobody is judged before one more lease is over.
  void stall() {
    note_sent();
    truth.fell_still = clock.mono;
    clock.advance(9s);
    note_sent();
    authority->tick();
    served();
    truth.judged_from = clock.mono + with.health.lease;
    truth.caught_up = clock.mono + with.health.heartbeat;
    truth.began = std::max(truth.began, clock.mono);
    truth.tick();
  }

  bool take_reload(const Step& step) {
    config::Config next = with;
    truth.ttl = std::chrono::seconds(step.what % 2 == 0 ? 30 : 5);
    next.pools.front().ttl = truth.ttl;
    const bool without_c = step.what / 2 % 3 == 1;
    const bool without_park = step.what / 6 % 3 == 1;
    if (without_c) next.pools.front().servers.pop_back();
    if (without_park) {
      next.pools.front().servers[1].services = base::SharedList<std::string>{"front-end"};
    }
    config = next;
    authority->reconfigure(std::make_shared<Topology>(config), config.health);
    served();
    truth.configure(without_c, without_park);
    return true;
  }

  // --- what must be true after each step

  // Answers were sent until now: caches keep what they named.
  void note_sent() { truth.note_sent({members(kPool), members(kCallPark)}); }

  void check() {
    if (truth.flaps(0) || truth.flaps(1) || truth.flaps(2)) {
      // Nobody who is held comes in by it; the truth is there after a second.
      check_holds();
      second();
      note_sent();
    }
    for (unsigned index = 0; index < 2; ++index) check_answers(index);
    RC_ASSERT(authority->schedules().size() == truth.plans.size() + truth.ending_holds());
    for (unsigned i = 0; i < 3; ++i) {
      if (!truth.servers[i].configured) continue;
      const auto id = authority->topology()->server(std::string(kLabels[i]) + ".pool.example");
      const auto& hidden = publisher.current->hidden_hosts;
      RC_ASSERT((std::find(hidden.begin(), hidden.end(), *id) != hidden.end()) ==
                truth.hides_host(i));
      for (unsigned s = 0; s < 2; ++s) {
        if (truth.servers[i].services[s].runs) check_service(i, s);
      }
    }
  }

  // Rule 2, whatever else is under way.
  void check_holds() const {
    for (unsigned index = 0; index < 2; ++index) {
      const AnswerSetId set = index == 0 ? kPool : kCallPark;
      if (fallback(set) == Fallback::ServeHeld) continue;
      for (const char label : members(set)) {
        RC_ASSERT(
            truth.servers[static_cast<unsigned>(label - 'a')].services[index].reasons.empty());
      }
    }
  }

  void check_answers(unsigned index) {
    const ModelAnswer expected = truth.answer(index);
    const std::vector<AnswerSetId> sets =
        index == 0 ? std::vector<AnswerSetId>{kPool, kSrv} : std::vector<AnswerSetId>{kCallPark};
    for (const AnswerSetId set : sets) {
      RC_ASSERT(members(set) == labels(expected.members));
      RC_ASSERT(fallback(set) == expected.fallback);
      RC_ASSERT(publisher.current->answer_sets[set].not_after == truth.cap(index, members(set)));
      const auto& owner = authority->topology()->answer_sets()[set].owner;
      const auto explained = authority->explain(owner);
      RC_ASSERT(explained.has_value());
      RC_ASSERT(explained->fallback == expected.fallback);
      std::string in;
      for (const ExplainedMember& member : explained->members) {
        if (member.in) in += member.server.front();
        const auto server = static_cast<unsigned>(member.server.front() - 'a');
        const bool held = !truth.servers[server].services[index].reasons.empty();
        RC_ASSERT((member.rule == "hold" || member.rule == "serve-held") == held);
        RC_ASSERT(!member.text.empty());
      }
      RC_ASSERT(in == members(set));
    }
  }

  void check_service(unsigned i, unsigned s) {
    const ModelServer& server = truth.servers[i];
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
    if (truth.hides_host(i)) forgotten = std::max(forgotten, server.host_cached_until);
    forgotten += with.health.horizon_margin;
    const auto most = std::max<base::Duration>(30s, with.health.resolver_min_ttl);
    const base::MonoTime surely = std::max(
        forgotten, std::max(model.doubted_since,
                            truth.hides_host(i) ? server.host_doubted_since : base::MonoTime{}) +
                       most + with.health.horizon_margin);
    // What its agent said last was true then.
    const bool gone = !named && forgotten <= model.counted;
    const bool surely_gone = !named && surely <= model.counted;
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
  Model truth{clock};
};

RC_GTEST_PROP(AuthorityProperty, AnswersAsTheModelDoesThroughAnyHistory, ()) {
  const auto steps = *rc::gen::container<std::vector<Step>>(any_step());
  World().run(steps);
}

}  // namespace
}  // namespace sluice::health::testing
