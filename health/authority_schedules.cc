// Drains that are planned, and holds that end by themselves (semantics.md section 7).

#include <algorithm>
#include <utility>

#include "health/authority_state.h"
#include "health/rfc3339.h"
#include "health/words.h"

namespace sluice::health {
namespace {

// The wall clock is slewed all the time; a planned moment follows it when it is off by more than
// this. A quarter of the smallest thing that a TTL can say.
constexpr base::Duration kClockSlack{250};

// An expiry whose lifting failed (the store) is tried again so much later.
constexpr base::Duration kRetry = std::chrono::seconds(2);

// As with durations. The monotonic clock counts nanoseconds, of which it has 292 years.
constexpr base::Duration kFarthest = std::chrono::years(100);

// Why a time can't be meant, if it can't: it must come after `from`, which is called `than`.
std::optional<Refusal> out_of_range(const char* member, base::WallTime time, base::WallTime from,
                                    const std::string& than) {
  if (time > from && time - from <= kFarthest) return std::nullopt;
  return refuse(Refusal::Kind::BadInput,
                (time > from ? "must be less than 100 years later than " : "must be later than ") +
                    than + ", is " + to_rfc3339(time),
                member);
}

// The later end counts: each of two instructions that overlap holds to its own end.
std::optional<Expiry> later(const std::optional<Expiry>& a, const std::optional<Expiry>& b) {
  if (!a || !b) return std::nullopt;  // one of them has no end
  return a->at < b->at ? b : a;
}

}  // namespace

base::WallTime Authority::State::wall_of(const DrainRequest::When& when, base::WallTime from) {
  if (const auto* at = std::get_if<base::WallTime>(&when)) return *at;
  return from + std::get<base::Duration>(when);
}

// What a request asks for, checked against the clock: the end of its hold, when that begins at
// `from`.
Outcome<std::optional<base::WallTime>> Authority::State::end_of(const DrainRequest& request,
                                                                base::WallTime from) const {
  if (!request.expires) return std::optional<base::WallTime>();
  const base::WallTime end = wall_of(*request.expires, from);
  if (auto wrong = out_of_range("expires", end, from, to_rfc3339(from))) {
    return base::Unexpected{*std::move(wrong)};
  }
  return std::optional(end);
}

// --- planned drains

void Authority::State::plan(const PlanRequest& request, const Actor& actor,
                            Reply<ScheduleView> done) {
  const base::Now now = clock_.now();
  const auto target = resolve(request.drain.server, request.drain.service);
  if (!target) return done(base::Unexpected{target.error()});
  Plan plan;
  PlannedDrain& drain = plan.drain;
  drain.at = wall_of(request.at, now.wall);
  if (auto wrong = out_of_range("at", drain.at, now.wall, "now")) {
    return done(base::Unexpected{*std::move(wrong)});
  }
  const auto end = end_of(request.drain, drain.at);
  if (!end) return done(base::Unexpected{end.error()});
  drain.id = ++schedule_;
  drain.server = name(target->server);
  drain.service = request.drain.service.value_or("");
  drain.by = actor.by;
  drain.reason = request.drain.reason;
  drain.startup = request.drain.startup;
  drain.hide_host = request.drain.hide_host;
  drain.force = request.drain.force;
  drain.expires = *end;
  drain.then = request.drain.then;
  drain.created = now.wall;
  drain.clock = own_clock();
  plan.counts_down = std::holds_alternative<base::Duration>(request.at);
  plan.not_after = caches_end(drain, now);
  const auto placed = plans_.emplace(drain.id, std::move(plan)).first;
  recap();
  const PlannedDrain& kept = placed->second.drain;
  say(EventType::Schedule, kept.server, kept.service, actor,
      "schedule " + std::to_string(kept.id) + ": drain at " + to_rfc3339(kept.at) +
          (kept.reason.empty() ? "" : ": " + kept.reason));

  const auto left = std::make_shared<int>(2);  // served, stored
  const auto failure = std::make_shared<std::string>();
  const auto finish = [this, id = kept.id, left, failure, done = std::move(done)] {
    if (--*left == 0) finish_plan(id, *failure, done);
  };
  commit({PutSchedule{kept}, ReserveSchedules{kept.id}}, Store::Urgency::First,
         [failure, finish](const Store::Stored& stored) {
           if (!stored) *failure = stored.error();
           finish();
         });
  after_served(finish);
}

// Its TTLs are capped by every worker and it is on disk, or it failed.
void Authority::State::finish_plan(ScheduleId id, const std::string& failure,
                                   const Reply<ScheduleView>& done) {
  const auto found = plans_.find(id);
  if (!failure.empty()) {
    if (found != plans_.end()) {
      plans_.erase(found);
      recap();
    }
    Refusal refusal = refuse(Refusal::Kind::StoreFailed,
                             "the store failed, nothing is planned (" + failure + ")");
    return done(base::Unexpected{std::move(refusal)});
  }
  if (found == plans_.end()) {  // its time has come meanwhile, or it was cancelled
    return done(base::Unexpected{
        refuse(Refusal::Kind::NotFound, "the schedule has ended already: see its history")});
  }
  PlannedDrain& drain = found->second.drain;
  const base::Now now = clock_.now();
  drain.capped_since = now.to_moment(now.mono);
  // Behind the reply: without it a restart only waits longer. One whose erasure is queued stays
  // erased.
  if (!found->second.cancelling) commit({PutSchedule{drain}}, Store::Urgency::First);
  ScheduleView view = view_of(found->second);
  view.warnings = plan_warnings(drain);
  done(std::move(view));
}

std::vector<std::string> Authority::State::plan_warnings(const PlannedDrain& drain) const {
  std::vector<std::string> warnings;
  const std::optional<std::string> service =
      drain.service.empty() ? std::nullopt : std::optional(drain.service);
  const auto target = resolve(drain.server, service);
  if (!target) return warnings;
  const base::Now now = clock_.now();
  const base::MonoTime forgotten =
      horizon_of(now.mono, ttl(target->server), settings_.health, base::MonoTime::max());
  if (now.to_wall(forgotten) > drain.at) {
    warnings.push_back("caches may name it until " + to_rfc3339(now.to_wall(forgotten)) +
                       ": answers were sent with a TTL of " +
                       std::to_string(ttl(target->server).count()) + " s until now");
  }
  if (const auto broken = broken_floor(*target); broken && !drain.force) {
    warnings.push_back("it would be refused now: " + floor_refusal(*broken).detail);
  }
  std::vector<std::string> automatic;
  for (const std::size_t slot : slots_of(*target)) {
    if (drain.startup.value_or(startup(target->server, slot)) == config::Startup::Automatic) {
      automatic.push_back(service_name(target->server, slot));
    }
  }
  if (!automatic.empty()) {
    warnings.push_back("startup automatic: once it is held, a restart of " + join(automatic) +
                       " lifts the hold; --startup manual keeps it");
  }
  return warnings;
}

void Authority::State::run_schedules(const base::Now& now) {
  follow_wall_clock(now);
  std::vector<ScheduleId> due;
  for (const auto& [id, plan] : plans_) {
    if (leaves(plan) <= now.mono && !plan.cancelling) due.push_back(id);
  }
  for (const ScheduleId id : due) begin_planned(id);
  std::vector<HoldKey> over;
  for (const auto& [key, timer] : expiries_) {
    if (end_of(timer, now) <= now.mono) over.push_back(key);
  }
  for (const HoldKey& key : over) end_hold(key, now);
}

base::MonoTime Authority::State::end_of(const Timer& timer, const base::Now& now) const {
  return timer.ends ? *timer.ends : now.to_mono(here(timer.at, timer.clock));
}

base::MonoTime Authority::State::caches_end(const PlannedDrain& drain, const base::Now& now) const {
  return now.to_mono(here(not_after(drain, settings_.health), drain.clock));
}

base::WallTime Authority::State::here(base::WallTime at, const std::string& clock) const {
  if (settings_.cluster == nullptr || clock.empty() || clock == settings_.responder) return at;
  return at - settings_.cluster->clock_offset(clock);
}

const std::string& Authority::State::own_clock() const {
  static const std::string kNone;
  return settings_.cluster == nullptr ? kNone : settings_.responder;
}

base::MonoTime Authority::State::leaves(const Plan& plan) const {
  return plan.not_after - settings_.health.resolver_min_ttl;
}

std::optional<base::MonoTime> Authority::State::next_schedule(const base::Now& now) const {
  std::optional<base::MonoTime> next;
  const auto consider = [&](base::MonoTime at) { next = std::min(next.value_or(at), at); };
  for (const auto& [id, plan] : plans_) {
    if (!plan.cancelling) consider(leaves(plan));
  }
  for (const auto& [key, timer] : expiries_) consider(end_of(timer, now));
  return next;
}

// A moment that was given by the wall clock moves with it; one that counts down does not.
void Authority::State::follow_wall_clock(const base::Now& now) {
  bool moved = false;
  for (auto& [id, plan] : plans_) {
    if (plan.counts_down) continue;
    const base::MonoTime is = caches_end(plan.drain, now);
    if (is - plan.not_after < kClockSlack && plan.not_after - is < kClockSlack) continue;
    plan.not_after = is;
    moved = true;
  }
  if (moved) recap();
}

// The time of a planned drain has come: the hold takes its place, if the floor lets it.
void Authority::State::begin_planned(ScheduleId id) {
  const auto found = plans_.find(id);
  const PlannedDrain drain = std::move(found->second.drain);
  plans_.erase(found);
  index_caps();  // published with the hold, or below
  const Actor actor{drain.by, "schedule " + std::to_string(id)};
  const std::optional<std::string> service =
      drain.service.empty() ? std::nullopt : std::optional(drain.service);
  const auto target = resolve(drain.server, service);
  const auto broken = target && !drain.force ? broken_floor(*target) : std::nullopt;
  const HoldKey key{drain.server, drain.service, Origin::Schedule};
  const auto note = [this, id, key](const Store::Stored& stored) {
    if (!stored) not_erased_.emplace(id, key);
  };
  if (broken) {
    tell_refusal(drain.server, drain.service, actor, floor_refusal(*broken));
    commit({EraseSchedule{id}}, Store::Urgency::First, note);
  } else {
    place(hold_of(drain, target ? std::optional(*target) : std::nullopt));
    say(EventType::Drain, key.server, key.service, actor, drain.reason);
    commit_hold(key, note, {EraseSchedule{id}});
  }
  if (publication_ > 0) recap();
}

// Over a hold that an earlier schedule placed: that stands on, with the later end.
Hold Authority::State::hold_of(const PlannedDrain& drain, const std::optional<Target>& target) {
  const HoldKey key{drain.server, drain.service, Origin::Schedule};
  std::optional<Expiry> expiry;
  if (drain.expires) expiry = Expiry{drain.id, *drain.expires, drain.then, false, drain.clock};
  if (const Hold* standing = holds_.find(key); standing != nullptr && standing->released.empty()) {
    Hold hold = *standing;
    hold.expiry = later(hold.expiry, expiry);
    hold.hide_host = hold.hide_host || drain.hide_host;
    if (drain.hide_host) hold.horizons.clear();
    return hold;
  }
  Hold hold;
  if (target) {
    hold = make_hold(*target, Origin::Schedule);
    if (drain.hide_host && !at(target->server).host_hidden) hold.horizons.clear();
  }
  hold.key = key;
  hold.since = clock_.now().wall;
  hold.by = drain.by;
  hold.reason = drain.reason;
  hold.startup = drain.startup;
  hold.forced = drain.force;
  hold.hide_host = drain.hide_host;
  hold.expiry = expiry;
  return hold;
}

// --- the ends of holds

// Finds a hold's end in time. Call it whenever a hold came, went or got another end.
void Authority::State::index_expiry(const HoldKey& key) {
  const Hold* hold = std::as_const(holds_).find(key);
  if (hold == nullptr || !hold->expiry || hold->expiry->alarmed) {
    expiries_.erase(key);
    return;
  }
  const auto [place, fresh] =
      expiries_.try_emplace(key, Timer{hold->expiry->at, {}, hold->expiry->clock});
  if (!fresh && place->second.at != hold->expiry->at) {
    place->second = {hold->expiry->at, {}, hold->expiry->clock};
  }
}

void Authority::State::end_hold(const HoldKey& key, const base::Now& now) {
  Hold* hold = holds_.find(key);
  if (hold->expiry->then == Then::Alarm) {
    hold->expiry->alarmed = true;
    expiries_.erase(key);
    say(EventType::Alarm, key.server, key.service, {hold->by, "schedule"},
        "the hold's time is over and it stands" +
            (hold->reason.empty() ? "" : ": " + hold->reason));
    persist(*hold);
    return;
  }
  expiries_[key].ends = now.mono + kRetry;  // unless it is gone by then
  if (lifting_.contains(key)) return;
  lift_in_order({key}, EventType::Expire, {hold->by, "schedule"},
                [](const Outcome<ResumeReply>&) {});
}

// --- cancel

void Authority::State::cancel(ScheduleId id, const Actor& actor, Reply<ScheduleView> done) {
  const auto plan = plans_.find(id);
  if (plan != plans_.end() && !plan->second.cancelling) {
    return cancel_plan(plan->second, actor, std::move(done));
  }
  for (const auto& [server, holds] : holds_.by_server()) {
    for (const Hold& hold : holds) {
      if (hold.expiry && hold.expiry->id == id) return cancel_expiry(hold.key, actor, done);
    }
  }
  done(base::Unexpected{
      refuse(Refusal::Kind::NotFound, "there is no schedule " + std::to_string(id))});
}

// The disk first: a plan that a restart brings back is not called cancelled.
void Authority::State::cancel_plan(Plan& plan, const Actor& actor, Reply<ScheduleView> done) {
  plan.cancelling = true;
  const ScheduleId id = plan.drain.id;
  say(EventType::Cancel, plan.drain.server, plan.drain.service, actor,
      "schedule " + std::to_string(id) + ": drain at " + to_rfc3339(plan.drain.at));
  commit({EraseSchedule{id}}, Store::Urgency::First,
         [this, id, done = std::move(done)](const Store::Stored& stored) {
           const auto found = plans_.find(id);
           if (found == plans_.end()) {  // it was never on disk: whoever asked for it was told so
             return done(base::Unexpected{refuse(Refusal::Kind::NotFound, "it was never planned")});
           }
           if (!stored) {
             found->second.cancelling = false;
             Refusal refusal = refuse(Refusal::Kind::StoreFailed,
                                      "the store failed, it is still planned (" + stored.error() +
                                          "); asking again is harmless");
             refusal.in_force = true;
             return done(base::Unexpected{std::move(refusal)});
           }
           ScheduleView view = view_of(found->second);
           plans_.erase(found);
           recap();
           done(std::move(view));
         });
}

void Authority::State::cancel_expiry(const HoldKey& key, const Actor& actor,
                                     const Reply<ScheduleView>& done) {
  Hold& hold = *holds_.find(key);
  const ScheduleView view = view_of(hold);
  const std::optional<Expiry> before = std::exchange(hold.expiry, std::nullopt);
  index_expiry(key);
  say(EventType::Cancel, key.server, key.service, actor,
      "schedule " + std::to_string(view.id) + ": the hold has no end any more");
  commit_hold(key, [this, key, before, view, done](const Store::Stored& stored) {
    if (stored) return done(view);
    if (Hold* again = holds_.find(key); again != nullptr && !again->expiry) {
      again->expiry = before;
      index_expiry(key);
    }
    Refusal refusal =
        refuse(Refusal::Kind::StoreFailed, "the store failed, the hold still ends by itself (" +
                                               stored.error() + "); asking again is harmless");
    refusal.in_force = true;
    done(base::Unexpected{std::move(refusal)});
  });
}

// --- a start

// Before the first publication: what was due while the authority was away takes effect now.
void Authority::State::restore_schedules(const StoredState& stored, const base::Now& now) {
  schedule_ = stored.schedule;
  for (const PlannedDrain& drain : stored.schedules) {
    schedule_ = std::max(schedule_, drain.id);
    Plan plan;
    plan.drain = drain;
    plan.not_after = caches_end(drain, now);
    plans_.emplace(drain.id, std::move(plan));
  }
  for (const auto& [server, holds] : holds_.by_server()) {
    for (const Hold& hold : holds) {
      if (hold.expiry) schedule_ = std::max(schedule_, hold.expiry->id);
      index_expiry(hold.key);
    }
  }
  index_caps();
  for (const auto& [id, leaving] : caps_) capped_.insert(id);
  run_schedules(now);
}

// --- views

ScheduleView Authority::State::view_of(const Plan& plan) const {
  const PlannedDrain& drain = plan.drain;
  ScheduleView view;
  view.id = drain.id;
  view.kind = ScheduleView::Kind::Drain;
  view.server = drain.server;
  view.service = drain.service;
  view.at = drain.at;
  view.leaves_at = leaves_at(drain, settings_.health);
  view.by = drain.by;
  view.reason = drain.reason;
  view.startup = drain.startup;
  view.hide_host = drain.hide_host;
  view.force = drain.force;
  view.expires = drain.expires;
  view.then = drain.then;
  view.created = drain.created;
  return view;
}

ScheduleView Authority::State::view_of(const Hold& hold) const {
  ScheduleView view;
  view.id = hold.expiry->id;
  view.kind = ScheduleView::Kind::Expiry;
  view.server = hold.key.server;
  view.service = hold.key.service;
  view.at = hold.expiry->at;
  view.by = hold.by;
  view.reason = hold.reason;
  view.startup = hold.startup;
  view.hide_host = hold.hide_host;
  view.force = hold.forced;
  view.then = hold.expiry->then;
  view.created = hold.since;
  if (hold.expiry->alarmed) view.warnings.emplace_back("its time is over; it stands all the same");
  return view;
}

std::vector<ScheduleView> Authority::State::schedules() const {
  std::vector<ScheduleView> views;
  for (const auto& [id, plan] : plans_) {
    if (!plan.cancelling) views.push_back(view_of(plan));
  }
  for (const auto& [server, holds] : holds_.by_server()) {
    for (const Hold& hold : holds) {
      if (hold.expiry) views.push_back(view_of(hold));
    }
  }
  std::ranges::sort(views, {},
                    [](const ScheduleView& view) { return std::pair(view.at, view.id); });
  return views;
}

std::vector<ScheduleView> Authority::State::schedules_of(std::string_view server) const {
  std::vector<ScheduleView> views;
  for (const auto& [id, plan] : plans_) {
    if (plan.drain.server == server && !plan.cancelling) views.push_back(view_of(plan));
  }
  for (const Hold& hold : holds_.of(server)) {
    if (hold.expiry) views.push_back(view_of(hold));
  }
  std::ranges::sort(views, {},
                    [](const ScheduleView& view) { return std::pair(view.at, view.id); });
  return views;
}

}  // namespace sluice::health
