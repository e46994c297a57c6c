// The status table of semantics.md section 2, all of it, and the verdict of section 6.

#include <algorithm>
#include <ostream>

#include "gtest/gtest.h"
#include <rapidcheck/gtest.h>

#include "health/service_state.h"
#include "health/verdict.h"

namespace sluice::health {

std::ostream& operator<<(std::ostream& out, const VerdictInput& input) {
  out << input.service << (input.held ? " held" : "") << (input.durable ? "" : " not-durable")
      << (input.balanced_by_dns ? "" : " not-by-dns") << (input.named ? " named" : "")
      << (input.unconfirmed.empty() ? "" : " unconfirmed") << (input.horizon ? " horizon" : "");
  if (!input.sessions) out << " sessions?";
  for (const auto& [counter, count] : input.sessions.value_or(Sessions{})) {
    out << ' ' << counter << '=' << count;
  }
  return out << (input.new_connection_ago ? " new" : "");
}

namespace {

using namespace std::chrono_literals;

constexpr base::WallTime kWallNow{1'000'000s};

// --- section 2: "the first that matches", each line of the table as it stands there

Status by_the_table(const StatusInput& in) {
  const auto health = in.health;
  const std::array<std::pair<bool, Status>, 6> table{{
      {!in.lease_current || !health, Status::Unknown},
      {health == Health::Stopped || (health == Health::Down && !in.held), Status::Down},
      {in.held && in.newer_than_hold, Status::Held},
      {in.held && (!in.at_zero || !in.horizon_past), Status::Draining},
      {in.held && in.at_zero && in.horizon_past, Status::Drained},
      {!in.held && health == Health::Up, Status::Accepting},
  }};
  for (const auto& [matches, status] : table) {
    if (matches) return status;
  }
  ADD_FAILURE() << "the table leaves nobody without a status";
  return Status::Unknown;
}

TEST(StatusProperty, EveryCaseIsTheFirstLineThatMatches) {
  const std::vector<std::optional<Health>> healths{std::nullopt, Health::Up, Health::Down,
                                                   Health::Stopped};
  for (unsigned bits = 0; bits < 32; ++bits) {
    for (const auto health : healths) {
      StatusInput input;
      input.lease_current = (bits & 1) != 0;
      input.health = health;
      input.held = (bits & 2) != 0;
      input.newer_than_hold = (bits & 4) != 0;
      input.at_zero = (bits & 8) != 0;
      input.horizon_past = (bits & 16) != 0;
      EXPECT_EQ(to_string(status_of(input)), std::string(to_string(by_the_table(input))))
          << bits << ' ' << (health ? to_string(*health) : "never");
    }
  }
}

// --- section 2: not known is never zero

rc::Gen<std::optional<Sessions>> any_sessions() {
  const auto counters = rc::gen::container<std::map<std::string, std::uint64_t>>(
      rc::gen::elementOf(std::vector<std::string>{"calls", "registrations"}),
      rc::gen::element<std::uint64_t>(0, 0, 0, 1, 12));
  return rc::gen::oneOf(
      rc::gen::just(std::optional<Sessions>()),
      rc::gen::map(counters, [](const std::map<std::string, std::uint64_t>& each) {
        Sessions sessions;
        for (const auto& [name, count] : each) sessions[name] = count;
        return std::optional(sessions);
      }));
}

RC_GTEST_PROP(SessionsProperty, AreZeroOnlyWhenEachCounterIsKnownAndZero, ()) {
  ServiceState state;
  state.health = *rc::gen::element<std::optional<Health>>(std::nullopt, Health::Up, Health::Down,
                                                          Health::Stopped);
  const std::optional<Sessions> sessions = *any_sessions();
  state.sessions = sessions;
  const bool current = *rc::gen::arbitrary<bool>();
  bool zero = false;
  if (current && state.health == Health::Stopped) zero = true;  // not running: none
  if (current && state.health && sessions) {
    std::uint64_t sum = 0;
    for (const auto& [counter, count] : *sessions) sum += count;
    zero = zero || sum == 0;
  }
  RC_ASSERT(at_zero(known_sessions(state, current)) == zero);
}

// --- section 6

rc::Gen<bool> mostly(bool value) {
  return rc::gen::element(value, value, value, value, value, value, !value);
}

// Mostly without a fault, so that both colours come up.
rc::Gen<VerdictInput> any_input() {
  return rc::gen::exec([] {
    VerdictInput input;
    input.service = *rc::gen::elementOf(std::vector<std::string>{"front-end", "call-park"});
    input.held = *mostly(true);
    input.durable = *mostly(true);
    input.balanced_by_dns = *mostly(true);
    input.named = *mostly(false);
    if (*mostly(false)) input.unconfirmed = {"ns2"};
    if (*mostly(false)) input.hook_failed = "on_hold: exit status 1";
    if (*mostly(false)) input.horizon = kWallNow + base::Duration(*rc::gen::inRange(1, 9'000));
    input.sessions = Sessions{};
    if (*mostly(false)) input.sessions = *any_sessions();
    if (*mostly(false)) input.new_connection_ago = 3s;
    return input;
  });
}

bool has(const Verdict& verdict, const std::string& code) {
  return std::any_of(verdict.reasons.begin(), verdict.reasons.end(),
                     [&](const Reason& reason) { return reason.code == code; });
}

RC_GTEST_PROP(VerdictProperty, IsSafeOnlyWhenEveryConditionOfSection6Holds, ()) {
  const auto inputs =
      *rc::gen::resize(4, rc::gen::container<std::vector<VerdictInput>>(any_input()));
  RC_PRE(!inputs.empty());
  const auto all = [&](auto condition) {
    return std::all_of(inputs.begin(), inputs.end(), condition);
  };
  const Verdict verdict = verdict_of(inputs, kWallNow);
  // Condition, its code: a reason stands exactly when its condition is missing for some service.
  const std::vector<std::pair<bool, std::string>> conditions{
      {all([](const VerdictInput& in) { return in.balanced_by_dns; }), "not-by-dns"},
      {all([](const VerdictInput& in) { return in.held; }), "not-held"},
      {all([](const VerdictInput& in) { return !in.held || in.durable; }), "hold-not-durable"},
      {all([](const VerdictInput& in) { return !in.held || in.unconfirmed.empty(); }),
       "unconfirmed-responder"},
      {all([](const VerdictInput& in) { return !in.held || !in.hook_failed; }), "hook-failed"},
      {all([](const VerdictInput& in) { return !in.held || !in.named; }), "served-while-held"},
      {all([](const VerdictInput& in) { return !in.held || !in.horizon; }), "horizon"},
      {all([](const VerdictInput& in) { return in.sessions.has_value(); }), "sessions-unknown"},
      {all([](const VerdictInput& in) {
         std::uint64_t sum = 0;
         for (const auto& [counter, count] : in.sessions.value_or(Sessions{})) sum += count;
         return sum == 0;
       }),
       "sessions"},
      {all([](const VerdictInput& in) { return !in.new_connection_ago; }), "new-connections"},
  };
  bool safe = true;
  for (const auto& [met, code] : conditions) {
    RC_ASSERT(has(verdict, code) != met);
    safe = safe && met;
  }
  RC_ASSERT(verdict.safe_to_stop == safe);
  RC_ASSERT(verdict.reasons.empty() == safe);
  RC_CLASSIFY(safe, "safe");
}

RC_GTEST_PROP(VerdictProperty, TheHorizonIsOneMomentTheLast, ()) {
  auto inputs = *rc::gen::resize(4, rc::gen::container<std::vector<VerdictInput>>(any_input()));
  std::optional<base::WallTime> last;
  for (const VerdictInput& input : inputs) {
    if (input.held && input.horizon && (!last || *last < *input.horizon)) last = input.horizon;
  }
  std::vector<std::optional<base::WallTime>> said;
  for (const Reason& reason : verdict_of(inputs, kWallNow).reasons) {
    if (reason.code == "horizon") said.push_back(reason.until);
  }
  RC_ASSERT(said == (last ? std::vector{last} : std::vector<std::optional<base::WallTime>>{}));
}

}  // namespace
}  // namespace sluice::health
