// Who is in an answer, and what a drain may take from it, against semantics.md section 3 read rule
// by rule.

#include <algorithm>
#include <ostream>
#include <set>

#include "gtest/gtest.h"
#include <rapidcheck/gtest.h>

#include "health/floor.h"
#include "health/membership.h"

namespace sluice::health {

std::ostream& operator<<(std::ostream& out, const Standing& standing) {
  return out << "{held " << standing.held << " forced " << static_cast<int>(standing.forced)
             << " claim " << static_cast<int>(standing.claim) << " ground "
             << static_cast<int>(standing.ground) << '}';
}

namespace {

using config::WhenAllHeld;
using Claim = Standing::Claim;
using Ground = Standing::Ground;
using Forced = Standing::Forced;

std::vector<Standing> every_standing() {
  std::vector<Standing> all;
  for (const bool held : {false, true}) {
    for (const Forced forced : {Forced::No, Forced::Up, Forced::Down}) {
      for (const Claim claim : {Claim::Up, Claim::Down, Claim::Stopped, Claim::Unknown}) {
        for (const Ground ground : {Ground::Pushed, Ground::Guard, Ground::Grace, Ground::None}) {
          all.push_back({held, forced, claim, ground});
        }
      }
    }
  }
  return all;
}

// Rules 2 to 5 as one sentence: not held; and forced up, or not forced down and somebody's word for
// it stands.
bool accepts(const Standing& standing) {
  const bool vouched = standing.claim == Claim::Up && standing.ground != Ground::None;
  return !standing.held &&
         (standing.forced == Forced::Up || (standing.forced != Forced::Down && vouched));
}

TEST(MembershipProperty, EveryStandingIsInOrOutAsRules2To5Say) {
  for (const Standing& standing : every_standing()) {
    EXPECT_EQ(is_in(rule_for(standing)), accepts(standing)) << standing;
  }
}

// The rule that is named is one that applies, and none above it does.
TEST(MembershipProperty, TheRuleThatIsNamedIsTheHighestThatApplies) {
  for (const Standing& standing : every_standing()) {
    std::set<Rule> may;
    if (standing.held) {
      may = {Rule::Hold};
    } else if (standing.forced != Forced::No) {
      may = {standing.forced == Forced::Up ? Rule::ForcedUp : Rule::ForcedDown};
    } else {
      if (standing.claim == Claim::Down) may.insert(Rule::Down);
      if (standing.claim == Claim::Stopped) may.insert(Rule::Stopped);
      if (standing.claim == Claim::Unknown) may.insert(Rule::Unknown);
      if (standing.claim == Claim::Up && standing.ground == Ground::None) may.insert(Rule::Unknown);
      if (standing.claim == Claim::Up && standing.ground == Ground::Pushed) {
        may.insert(Rule::Accepting);
      }
      if (standing.claim == Claim::Up && standing.ground == Ground::Guard) may.insert(Rule::Guard);
      if (standing.claim == Claim::Up && standing.ground == Ground::Grace) may.insert(Rule::Grace);
    }
    EXPECT_TRUE(may.contains(rule_for(standing)))
        << standing << ": " << to_string(rule_for(standing));
  }
}

// What section 3 answers with, and by which sentence of it.
struct Answer {
  std::set<std::size_t> members;
  Fallback fallback = Fallback::None;
};

Answer answer_of(const std::vector<Standing>& standings, WhenAllHeld policy) {
  const auto those = [&](auto predicate) {
    std::set<std::size_t> found;
    for (std::size_t i = 0; i < standings.size(); ++i) {
      if (predicate(standings[i])) found.insert(i);
    }
    return found;
  };
  const auto by_rules_2_to_5 = those(accepts);
  if (!by_rules_2_to_5.empty()) return {by_rules_2_to_5, Fallback::None};
  const auto unhealthy =
      those([](const Standing& each) { return !each.held && each.forced != Forced::Down; });
  if (!unhealthy.empty()) return {unhealthy, Fallback::NeverEmpty};
  if (policy == WhenAllHeld::Addresses) return {{}, Fallback::Addresses};
  if (policy == WhenAllHeld::ServeHeld) {
    const auto served = those([](const Standing& each) {
      return each.held && each.claim == Claim::Up && each.ground == Ground::Pushed &&
             each.forced != Forced::Down;
    });
    if (!served.empty()) return {served, Fallback::ServeHeld};
  }
  return {{}, Fallback::NoData};
}

rc::Gen<std::vector<Standing>> any_pool() {
  return rc::gen::scale(
      0.1, rc::gen::container<std::vector<Standing>>(rc::gen::elementOf(every_standing())));
}

RC_GTEST_PROP(MembershipProperty, AnAnswerHasTheMembersOfSection3, ()) {
  const auto standings = *any_pool();
  const auto policy =
      *rc::gen::element(WhenAllHeld::NoData, WhenAllHeld::Addresses, WhenAllHeld::ServeHeld);
  const Decision decision = decide(standings, policy);
  const Answer expected = answer_of(standings, policy);
  RC_ASSERT(decision.fallback == expected.fallback);
  RC_ASSERT(decision.rules.size() == standings.size());
  for (std::size_t i = 0; i < standings.size(); ++i) {
    const bool in = is_in(decision.rules[i]);
    RC_ASSERT(in == expected.members.contains(i));
    // Rule 2's one exception.
    RC_ASSERT(!in || !standings[i].held || decision.rules[i] == Rule::ServeHeld);
  }
  RC_ASSERT(decision.accepting ==
            (expected.fallback == Fallback::None ? expected.members.size() : 0U));
}

RC_GTEST_PROP(MembershipProperty, WhoIsHeldNowWasNobodyElsesReasonToLeave, ()) {
  auto standings = *any_pool();
  RC_PRE(!standings.empty());
  const auto before = decide(standings, WhenAllHeld::NoData);
  const auto drained = *rc::gen::inRange<std::size_t>(0, standings.size());
  standings[drained].held = true;
  const auto after = decide(standings, WhenAllHeld::NoData);
  RC_ASSERT(!is_in(after.rules[drained]));
  for (std::size_t i = 0; i < standings.size(); ++i) {
    if (i != drained && is_in(before.rules[i])) RC_ASSERT(is_in(after.rules[i]));
  }
}

// --- rule 1: of drains that race, as many win as the floor leaves room for

RC_GTEST_PROP(FloorProperty, OfRacingDrainsExactlyAsManyWinAsThereIsRoom, ()) {
  auto accepting = *rc::gen::scale(0.1, rc::gen::arbitrary<std::vector<bool>>());
  const auto floor = *rc::gen::inRange(0U, 8U);
  std::vector<std::size_t> order(accepting.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  // Shuffled by keys that shrink to the order of the pool.
  const auto keys =
      *rc::gen::container<std::vector<unsigned>>(order.size(), rc::gen::inRange(0U, 100U));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  const auto count = [&] {
    return static_cast<unsigned>(std::count(accepting.begin(), accepting.end(), true));
  };
  const unsigned at_first = count();
  unsigned won = 0;
  for (const std::size_t drained : order) {
    const bool was_in = accepting[drained];
    const FloorCheck check{"pool", count(), count() - (was_in ? 1 : 0), floor};
    const bool refused = breaks_floor(check);
    if (!was_in) RC_ASSERT(!refused);
    if (refused) {
      const Refusal refusal = floor_refusal(check);
      RC_ASSERT(refusal.rule == "floor");
      RC_ASSERT(refusal.numbers.at("would_leave") < refusal.numbers.at("min_accepting"));
      continue;
    }
    if (was_in) ++won;
    accepting[drained] = false;
  }
  RC_ASSERT(won == (at_first > floor ? at_first - floor : 0U));
  RC_ASSERT(count() >= std::min(at_first, floor));
}

}  // namespace
}  // namespace sluice::health
