// The cache horizon against the caches themselves: every answer that could have been sent is
// followed until the last cache that honours TTLs forgets it (semantics.md sections 1 and 7).

#include <algorithm>
#include <ostream>

#include "gtest/gtest.h"
#include <rapidcheck/gtest.h>

#include "health/horizon.h"
#include "health/schedule.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;

constexpr base::MonoTime kStart{1000s};

// One second of somebody's life: named or not, which TTL the pool has, and how far the slowest
// worker is behind the newest publication.
struct Second {
  bool named = false;
  int ttl = 1;
  bool served = true;  // at its end every worker serves the newest publication
};

std::ostream& operator<<(std::ostream& out, const Second& second) {
  return out << (second.named ? "in" : "out") << " ttl " << second.ttl
             << (second.served ? "" : " workers lag");
}

rc::Gen<Second> any_second() {
  return rc::gen::build<Second>(rc::gen::set(&Second::named, rc::gen::arbitrary<bool>()),
                                rc::gen::set(&Second::ttl, rc::gen::element(1, 5, 30)),
                                rc::gen::set(&Second::served, rc::gen::element(true, true, false)));
}

config::Health any_horizon_settings() {
  config::Health settings;
  settings.resolver_min_ttl = std::chrono::seconds(*rc::gen::element(0, 3, 20));
  settings.horizon_margin = std::chrono::seconds(*rc::gen::element(0, 2));
  return settings;
}

RC_GTEST_PROP(HorizonProperty, IsNeverBeforeACacheForgetsAndNoLaterThanTheLast, ()) {
  const config::Health settings = any_horizon_settings();
  const auto life = *rc::gen::container<std::vector<Second>>(any_second());
  const int settled = *rc::gen::inRange(1, 60);

  Naming naming;
  // What the authority does: a publication for each change, and one for a change of the TTL, which
  // ends a period although the name stays.
  struct Ending {
    std::uint64_t publication;
    int ttl;
  };
  std::vector<Ending> endings;
  std::uint64_t publication = 0;
  int ttl_now = 1;
  // What caches see: a worker that lags sends what any publication since the last that all serve
  // said.
  struct Sendable {
    bool named;
    int ttl;
  };
  std::vector<Sendable> sendable{{false, 1}};
  base::MonoTime forgotten{};  // when the last cache forgets
  base::MonoTime now = kStart;

  const auto serve = [&] {
    for (const Ending& ending : endings) {
      naming.confirm(ending.publication,
                     horizon_of(now, std::chrono::seconds(ending.ttl), settings));
    }
    endings.clear();
    sendable = {sendable.back()};
  };
  for (Second second : life) {
    if (second.ttl != ttl_now || second.named != naming.named) {
      ++publication;
      if (naming.named) {
        endings.push_back({publication, ttl_now});
        if (second.named) {
          naming.left_by(publication);
        } else {
          naming.leave(publication);
        }
      } else if (second.named) {
        naming.enter();
      }
      // What was on its way before keeps the newest publication of its own to wait for.
      for (Ending& ending : endings) ending.publication = publication;
      if (!endings.empty()) naming.left_by(publication);
      ttl_now = second.ttl;
      sendable.push_back({second.named, ttl_now});
    }
    now += 1s;  // answers are sent until this moment
    for (const Sendable& answer : sendable) {
      if (!answer.named) continue;
      const auto kept =
          std::max<base::Duration>(std::chrono::seconds(answer.ttl), settings.resolver_min_ttl);
      forgotten = std::max(forgotten, now + kept);
    }
    if (second.served) serve();
    const bool may_be_sent = std::any_of(sendable.begin(), sendable.end(),
                                         [](const Sendable& each) { return each.named; });
    if (may_be_sent) RC_ASSERT(!naming.past(now));
    if (forgotten > now) RC_ASSERT(!naming.past(now));
  }
  serve();
  if (naming.named) {
    naming.leave(++publication);
    RC_ASSERT(!naming.past(now + 1h));
    naming.confirm(publication, horizon_of(now, std::chrono::seconds(ttl_now), settings));
    const auto kept =
        std::max<base::Duration>(std::chrono::seconds(ttl_now), settings.resolver_min_ttl);
    forgotten = std::max(forgotten, now + kept);
  }
  now += std::chrono::seconds(settled);
  if (forgotten != base::MonoTime{}) {
    // Exactly the last cache, and the margin.
    RC_ASSERT(naming.past(now) == (forgotten + settings.horizon_margin <= now));
  } else {
    RC_ASSERT(naming.past(now));
  }
}

// Section 7: with a TTL that is capped so that what is cached ends by not_after(), and a server
// that leaves at leaves_at(), nobody has it at the moment of the plan, resolvers that keep longer
// than the TTL included.
RC_GTEST_PROP(ScheduleProperty, NobodyHasTheServerAtTheMomentOfThePlan, ()) {
  const config::Health settings = any_horizon_settings();
  PlannedDrain plan;
  plan.at = base::WallTime(1'000'000s) + base::Duration(*rc::gen::inRange(0, 100'000));
  const auto ttl = std::chrono::seconds(*rc::gen::inRange(0, 120));
  const base::WallTime leaves = leaves_at(plan, settings);
  const base::WallTime end = not_after(plan, settings);
  RC_ASSERT(leaves <= end);
  RC_ASSERT(end <= plan.at);
  for (int before = 0; before < 200; ++before) {
    const base::WallTime sent = leaves - before * 777ms;
    const auto left = std::chrono::floor<std::chrono::seconds>(end - sent);
    const auto capped = std::min(ttl, left);
    const auto kept = std::max<base::Duration>(capped, settings.resolver_min_ttl);
    RC_ASSERT(sent + kept + settings.horizon_margin <= plan.at);
    RC_ASSERT(capped >= 0s);
  }
  // And it does not leave sooner than it must: the last answer is forgotten just in time.
  RC_ASSERT(leaves + settings.resolver_min_ttl + settings.horizon_margin == plan.at);
}

}  // namespace
}  // namespace sluice::health
