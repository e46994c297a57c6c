#include "tools/sluice-agent/push_schedule.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

namespace sluice::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// With draws in the middle, pauses between rounds are cut by a quarter and looks are neither early
// nor late.
double middle() {
  return 0.5;
}

// An agent whose authorities do what the test says; time goes on by what the schedule waits for.
class World {
 public:
  enum class Is { Up, Stale, Refusing, Hanging };
  struct Push {
    milliseconds at;
    std::size_t to;
  };

  World(std::size_t authorities, milliseconds heartbeat = seconds(2),
        milliseconds lease = seconds(6))
      : schedule(authorities, heartbeat, middle), is(authorities, Is::Up), lease_(lease) {}

  void run(milliseconds time, bool hurried = false) {
    for (const milliseconds end = now + time; now < end;) step(hurried);
  }
  // One push and what follows it.
  void step(bool hurried = false) {
    const std::size_t whom = schedule.choose(base::MonoTime(now), hurried);
    pushes.push_back({now, whom});
    switch (is[whom]) {
      case Is::Up:
      case Is::Stale:
        now += schedule.on_answer(base::MonoTime(now), lease_, is[whom] == Is::Stale);
        answered.push_back(pushes.back());
        return;
      case Is::Hanging:
        now += schedule.timeout();
        break;
      case Is::Refusing:
        break;
    }
    now += schedule.on_failure(base::MonoTime(now));
  }
  // Between two pushes that somebody answered.
  milliseconds longest_gap() const {
    milliseconds longest{0};
    for (std::size_t i = 1; i < answered.size(); ++i) {
      longest = std::max(longest, answered[i].at - answered[i - 1].at);
    }
    return longest;
  }
  std::size_t count(std::size_t to) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(pushes, [&](const Push& push) { return push.to == to; }));
  }
  void forget() {
    pushes.clear();
    answered.clear();
  }

  PushSchedule schedule;
  std::vector<Is> is;
  milliseconds now{1'000'000};
  std::vector<Push> pushes;
  std::vector<Push> answered;

 private:
  milliseconds lease_;
};
using Is = World::Is;

TEST(PushSchedule, StaysWithTheAuthorityThatAnswers) {
  World world(3);
  world.step();
  world.is[0] = Is::Refusing;
  const milliseconds before = world.now;
  world.step();
  EXPECT_EQ(world.now, before) << "the next one is tried at once";
  EXPECT_EQ(world.schedule.authority(), 1U);
  EXPECT_FALSE(world.schedule.lost());
  world.run(seconds(20));
  EXPECT_EQ(world.schedule.authority(), 1U);
}

TEST(PushSchedule, PausesLongerAfterEachRoundInWhichAllFailed) {
  PushSchedule schedule(2, seconds(2), [] { return 1.0; });
  const base::MonoTime now{};
  schedule.choose(now, false);
  schedule.on_answer(now, seconds(6), false);
  std::vector<milliseconds> pauses;
  for (int round = 0; round < 6; ++round) {
    EXPECT_EQ(schedule.on_failure(now), milliseconds(0));
    pauses.push_back(schedule.on_failure(now));
    EXPECT_TRUE(schedule.lost());
  }
  EXPECT_EQ(pauses, (std::vector{milliseconds(100), milliseconds(200), milliseconds(400),
                                 milliseconds(800), milliseconds(1000), milliseconds(1000)}));
  schedule.hurry();
  schedule.on_failure(now);
  EXPECT_EQ(schedule.on_failure(now), milliseconds(100)) << "somebody waits";
}

TEST(PushSchedule, CutsEachPauseByUpToHalf) {
  double random = 0.0;
  PushSchedule schedule(1, seconds(2), [&] { return random; });
  EXPECT_EQ(schedule.on_failure({}), milliseconds(50));
  random = 0.5;
  EXPECT_EQ(schedule.on_failure({}), milliseconds(150));
}

TEST(PushSchedule, ThreeTriesFitInALeaseEvenWhenEachHangs) {
  for (const auto heartbeat : {milliseconds(100), milliseconds(2000), milliseconds(60'000)}) {
    for (const auto lease : {milliseconds(300), milliseconds(6000), milliseconds(600'000)}) {
      PushSchedule schedule(1, heartbeat, [] { return 1.0; });
      milliseconds now = schedule.on_answer({}, lease, false);
      for (int tries = 0; tries < 3; ++tries) {
        now += schedule.timeout();
        EXPECT_LE(now, lease) << "try " << tries << ", heartbeat " << heartbeat.count();
        now += schedule.on_failure({});
      }
    }
  }
}

TEST(PushSchedule, ALeaseThatIsShortForTheHeartbeatIsPushedMoreOften) {
  PushSchedule schedule(1, seconds(10), [] { return 1.0; });
  EXPECT_EQ(schedule.interval(), seconds(10));
  EXPECT_EQ(schedule.on_answer({}, seconds(6), false), seconds(2));
  EXPECT_EQ(schedule.timeout(), seconds(1));
}

// --- looks ---

TEST(PushSchedule, ReturnsToANearerOneThatIsBack) {
  World world(2);
  world.is[0] = Is::Refusing;
  world.run(seconds(20));
  world.is[0] = Is::Up;
  world.forget();
  world.run(seconds(20));
  EXPECT_EQ(world.schedule.authority(), 0U);
  // One push after the other, each to one of them: the look itself is the first one there.
  std::size_t moves = 0;
  for (std::size_t i = 1; i < world.pushes.size(); ++i) {
    EXPECT_EQ(world.pushes[i].at - world.pushes[i - 1].at, seconds(2));
    if (world.pushes[i].to != world.pushes[i - 1].to) ++moves;
  }
  EXPECT_EQ(moves, 1U);
}

TEST(PushSchedule, TheNearestIsNeverLeftForALook) {
  World world(3);
  world.run(minutes(10));
  EXPECT_EQ(world.count(0), world.pushes.size());
}

TEST(PushSchedule, ALookThatHangsCostsOneTimeoutAndNothingElse) {
  World world(2);
  world.is[0] = Is::Hanging;
  world.run(seconds(20));
  world.forget();
  world.run(minutes(5));
  EXPECT_EQ(world.schedule.authority(), 1U);
  EXPECT_GE(world.count(0), 8U);
  EXPECT_LE(world.count(0), 11U) << "every 30 s";
  EXPECT_EQ(world.longest_gap(), seconds(3)) << "a heartbeat and a timeout, half of the lease";
}

TEST(PushSchedule, ChangesAndPeopleWaitForNoLook) {
  World world(2);
  world.is[0] = Is::Hanging;
  world.run(seconds(20));
  world.forget();
  world.run(minutes(1), true);
  EXPECT_EQ(world.count(0), 0U);
}

TEST(PushSchedule, TheNearerOnesAreLookedAtInTurns) {
  World world(3);
  world.is[0] = world.is[1] = Is::Refusing;
  world.run(seconds(20));
  EXPECT_EQ(world.schedule.authority(), 2U);
  world.is[1] = Is::Up;
  world.run(seconds(70));
  EXPECT_EQ(world.schedule.authority(), 1U);
  world.is[0] = Is::Up;
  world.run(seconds(40));
  EXPECT_EQ(world.schedule.authority(), 0U);
}

TEST(PushSchedule, WhoComesAndGoesIsNotFollowed) {
  World world(2);
  std::vector<milliseconds> away;
  for (int times = 0; times < 7; ++times) {
    world.is[0] = Is::Refusing;
    while (world.schedule.authority() == 0) world.step();
    world.is[0] = Is::Up;
    const milliseconds left = world.now;
    while (world.schedule.authority() == 1) world.step();
    away.push_back(world.now - left);
    world.run(seconds(5));
  }
  for (std::size_t i = 2; i + 2 < away.size(); ++i) EXPECT_GT(away[i], 1.9 * away[i - 1]) << i;
  EXPECT_EQ(away.front(), seconds(32)) << "the first time it was just away";
  EXPECT_EQ(away.back(), 16 * seconds(30) + seconds(2)) << "at most";
  world.run(minutes(60));
  world.is[0] = Is::Refusing;
  while (world.schedule.authority() == 0) world.step();
  world.is[0] = Is::Up;
  const milliseconds left = world.now;
  while (world.schedule.authority() == 1) world.step();
  EXPECT_EQ(world.now - left, seconds(32)) << "it has stayed meanwhile";
}

// --- authorities that are cut off ---

TEST(PushSchedule, OneThatIsCutOffIsLeftForOneThatIsNot) {
  World world(3);
  world.run(seconds(10));
  world.is[0] = Is::Stale;
  world.is[1] = Is::Stale;
  world.run(seconds(10));
  EXPECT_EQ(world.schedule.authority(), 2U) << "near or far";
  EXPECT_FALSE(world.schedule.stale());
  EXPECT_LE(world.longest_gap(), seconds(2))
      << "each look that came to nothing was followed at once";
}

TEST(PushSchedule, WhereAllAreCutOffTheAgentStays) {
  World world(3);
  world.is = {Is::Stale, Is::Stale, Is::Refusing};
  world.run(minutes(5));
  EXPECT_EQ(world.schedule.authority(), 0U);
  EXPECT_TRUE(world.schedule.stale());
  EXPECT_FALSE(world.schedule.lost());
  // A round of two looks every half minute or so.
  EXPECT_LE(world.count(1) + world.count(2), 24U);
  EXPECT_GE(world.count(1), 8U);
  EXPECT_GE(world.count(2), 8U);
  world.is[2] = Is::Up;
  world.run(seconds(45));
  EXPECT_EQ(world.schedule.authority(), 2U);
}

TEST(PushSchedule, WhoIsBackInItsClusterIsReturnedTo) {
  World world(2);
  world.is[0] = Is::Stale;
  world.run(minutes(2));
  EXPECT_EQ(world.schedule.authority(), 1U);
  EXPECT_EQ(world.answered.back().to, 1U);
  world.is[0] = Is::Up;
  world.run(minutes(2));
  EXPECT_EQ(world.schedule.authority(), 0U);
}

TEST(PushSchedule, OneThatIsCutOffIsBetterThanNone) {
  World world(2);
  world.is = {Is::Refusing, Is::Stale};
  world.run(minutes(1));
  EXPECT_EQ(world.schedule.authority(), 1U);
  EXPECT_FALSE(world.schedule.lost());
  EXPECT_LE(world.longest_gap(), seconds(2));
}

// --- how long a stopped authority can keep a push from the others ---

// From the last answer to the push to the last one that is tried, where all others hang. `look`:
// the agent is with the farthest, and the push that hangs first is a look.
milliseconds last_try(std::size_t authorities, milliseconds lease, bool look) {
  PushSchedule schedule(authorities, lease / 3, middle);
  milliseconds now{0};
  milliseconds last_answer{0};
  const auto choose = [&] { schedule.choose(base::MonoTime(now), false); };
  const auto hang = [&] {
    now += schedule.timeout();
    now += schedule.on_failure(base::MonoTime(now));
    choose();
  };
  choose();
  for (std::size_t i = 1; look && i < authorities; ++i) schedule.on_failure(base::MonoTime(now));
  do {
    last_answer = now;
    now += schedule.on_answer(base::MonoTime(now), lease, false);
    choose();
  } while (look && !schedule.looking());
  if (look) hang();
  for (std::size_t i = 1; i < authorities; ++i) hang();
  EXPECT_FALSE(schedule.lost()) << "there is one more";
  return now - last_answer;
}

TEST(PushSchedule, StoppedAuthoritiesLeaveTimeForTheNextOneWithinTheLease) {
  for (const milliseconds lease : {milliseconds(600), milliseconds(6'000), milliseconds(60'000)}) {
    SCOPED_TRACE(lease.count());
    const milliseconds timeout = lease / 6;
    // A heartbeat, then each that hangs takes its timeout.
    EXPECT_EQ(last_try(2, lease, false), lease / 3 + timeout);      // 1/2
    EXPECT_EQ(last_try(3, lease, false), lease / 3 + 2 * timeout);  // 2/3
    EXPECT_EQ(last_try(4, lease, false), lease / 3 + 3 * timeout);  // 5/6
    // In the middle of a look, which hangs before.
    EXPECT_EQ(last_try(2, lease, true), lease / 3 + 2 * timeout);  // 2/3
    EXPECT_EQ(last_try(3, lease, true), lease / 3 + 3 * timeout);  // 5/6
    for (const std::size_t authorities : {2U, 3U}) {
      EXPECT_LE(last_try(authorities, lease, true) + timeout, lease) << "and time to answer";
    }
  }
}

}  // namespace
}  // namespace sluice::agent
