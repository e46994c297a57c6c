// Leases, mass loss and the grace after a start, by the sentences of semantics.md section 3.

#include <ostream>
#include <set>

#include "gtest/gtest.h"
#include <rapidcheck/gtest.h>

#include "health/lease.h"

namespace sluice::health {

std::ostream& operator<<(std::ostream& out, const Lease& lease) {
  out << (lease.current ? "current" : "over");
  if (lease.last_push) {
    out << " pushed "
        << std::chrono::duration_cast<base::Duration>(lease.last_push->time_since_epoch()).count();
  }
  return out;
}

namespace {

using namespace std::chrono_literals;

constexpr base::MonoTime kLeaseNow{1000s};

rc::Gen<base::Duration> milliseconds_up_to(int end) {
  return rc::gen::map(rc::gen::inRange(0, end), [](int count) { return base::Duration(count); });
}

config::Health any_lease_settings() {
  config::Health settings;
  settings.heartbeat = 100ms + *milliseconds_up_to(3'000);
  settings.lease = 2 * settings.heartbeat + *milliseconds_up_to(6'000);
  settings.mass_loss = *rc::gen::inRange(1U, 101U);
  settings.mass_loss_hold = *milliseconds_up_to(30'000);
  return settings;
}

rc::Gen<Lease> any_lease() {
  return rc::gen::map(rc::gen::pair(rc::gen::inRange(0, 4), milliseconds_up_to(10'000)),
                      [](const std::pair<int, base::Duration>& drawn) {
                        Lease lease;
                        if (drawn.first == 0) return lease;  // never pushed
                        lease.last_push = kLeaseNow - drawn.second;
                        lease.current = drawn.first > 1;
                        return lease;
                      });
}

// Section 3, rule 5: "the lost are all servers of the pool whose last push is older than two
// heartbeats; if they are more than mass_loss of those current before, the authority doubts
// itself".
RC_GTEST_PROP(LeaseProperty, TheLostAreJudgedTogether, ()) {
  const config::Health settings = any_lease_settings();
  const auto pool = *rc::gen::container<std::vector<Lease>>(any_lease());
  std::set<std::size_t> before;
  std::set<std::size_t> silent;
  for (std::size_t i = 0; i < pool.size(); ++i) {
    if (!pool[i].current) continue;
    before.insert(i);
    if (*pool[i].last_push + settings.heartbeat + settings.heartbeat < kLeaseNow) silent.insert(i);
  }
  const Loss loss = judge_loss(pool, settings, kLeaseNow);
  RC_ASSERT(std::set<std::size_t>(loss.lost.begin(), loss.lost.end()) == silent);
  RC_ASSERT(loss.lost.size() == silent.size());
  RC_ASSERT(loss.current_before == before.size());
  // In fractions, not in the whole numbers of the sources.
  const double share = before.empty() ? 0.0
                                      : 100.0 * static_cast<double>(silent.size()) /
                                            static_cast<double>(before.size());
  if (std::abs(share - settings.mass_loss) > 1e-6) {
    RC_ASSERT(loss.mass == (share > settings.mass_loss));
  } else {
    RC_ASSERT(!loss.mass);
  }
}

// "One lease, extended while more than mass_loss of the pool is unheard, mass_loss_hold at most":
// followed from moment to moment while agents speak one after another.
RC_GTEST_PROP(GraceProperty, LastsOneLeaseAndLongerWhileMostAreUnheard, ()) {
  const config::Health settings = any_lease_settings();
  const auto servers = *rc::gen::inRange<std::size_t>(1, 12);
  // When each agent speaks first after the start.
  const auto spoken =
      *rc::gen::container<std::vector<base::Duration>>(servers, milliseconds_up_to(40'000));
  bool over = false;
  for (base::Duration gone{0}; gone < 45s; gone += 100ms) {
    std::size_t unheard = 0;
    for (const base::Duration when : spoken) unheard += when > gone ? 1U : 0U;
    const bool most = static_cast<double>(unheard) >
                      static_cast<double>(servers * settings.mass_loss) / 100.0 + 1e-9;
    const bool expected = gone < settings.lease || (most && gone < settings.mass_loss_hold);
    const bool grace = in_grace({kLeaseNow, servers, unheard}, settings, kLeaseNow + gone);
    RC_ASSERT(grace == expected);
    RC_ASSERT(!(over && grace));  // who has spoken stays heard: it never begins again
    over = over || !grace;
  }
}

TEST(LeaseProperty, EveryStateHasItsName) {
  for (const bool pushed : {false, true}) {
    for (const bool current : {false, true}) {
      for (const bool guard : {false, true}) {
        if (current && !pushed) continue;
        Lease lease;
        if (pushed) lease.last_push = kLeaseNow;
        lease.current = current;
        if (guard) lease.guarded_until = kLeaseNow + 1s;
        const LeaseState expected = current  ? LeaseState::Current
                                    : guard  ? LeaseState::Guarded
                                    : pushed ? LeaseState::Expired
                                             : LeaseState::Never;
        EXPECT_EQ(state_of(lease), expected) << pushed << current << guard;
      }
    }
  }
}

}  // namespace
}  // namespace sluice::health
