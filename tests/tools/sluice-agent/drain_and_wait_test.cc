#include "tools/sluice-agent/drain_and_wait.h"

#include <deque>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using Command = ControlRequest::Command;

class StandingClock final : public base::Clock {
 public:
  base::Now now() const override { return {base::MonoTime{} + time, base::WallTime{} + time}; }
  base::Duration time{0};
};

struct Draining : testing::Test {
  StandingClock clock;
  std::vector<ControlRequest> asked;
  std::deque<ControlAnswer> answers;  // the last one stays
  std::vector<std::string> said;
  ControlRequest pause;

  Draining() {
    pause.service = "front-end";
    answers.push_back({ExitCode::Done, "front-end is held (generation 3)", {}});
  }
  static ControlAnswer verdict(bool safe, std::vector<std::string> reasons = {}) {
    return {ExitCode::Done, "", {{"safe_to_stop", safe}, {"reasons", reasons}}};
  }
  ControlAnswer run(std::optional<base::Duration> limit = {}) {
    return DrainAndWait(pause, limit,
                        {[this](const ControlRequest& request) {
                           asked.push_back(request);
                           ControlAnswer answer = answers.front();
                           if (answers.size() > 1) answers.pop_front();
                           return answer;
                         },
                         [this](const std::string& line) { said.push_back(line); },
                         [this](base::Duration time) { clock.time += time; }, clock})
        .run();
  }
};

TEST_F(Draining, PausesByForceAndWaitsUntilItIsSafe) {
  answers.push_back(verdict(false, {"2 calls on front-end"}));
  answers.push_back(verdict(false, {"1 calls on front-end"}));
  answers.push_back(verdict(true));
  const auto end = run();
  EXPECT_EQ(end.exit, ExitCode::Done);
  EXPECT_EQ(end.text, "front-end is safe to stop");
  ASSERT_EQ(asked.size(), 4U);
  EXPECT_EQ(asked[0].command, Command::Pause);
  EXPECT_TRUE(asked[0].force);
  EXPECT_EQ(asked[1].command, Command::Verdict);
  EXPECT_EQ(asked[1].service, "front-end");
  EXPECT_THAT(said,
              ElementsAre("front-end is held (generation 3)", "waiting: 2 calls on front-end"))
      << "a number that falls is no news";
}

TEST_F(Draining, SaysAgainWhatItWaitsForAfterAWhile) {
  for (int i = 0; i < 61; ++i) answers.push_back(verdict(false, {"1 calls"}));
  answers.push_back(verdict(true));
  EXPECT_EQ(run().exit, ExitCode::Done);
  EXPECT_EQ(said.size(), 4U) << "the pause, and once each 30 s";
}

TEST_F(Draining, EndsAtItsTimeLimit) {
  answers.push_back(verdict(false, {"1 calls"}));
  const auto end = run(5s);
  EXPECT_EQ(end.exit, ExitCode::TimedOut);
  EXPECT_EQ(end.text, "not safe after 5s: 1 calls");
  EXPECT_EQ(clock.time, 5s);
}

TEST_F(Draining, APauseThatFailsIsTheEnd) {
  answers.front() = {ExitCode::Failed, "nothing is held: no space left on device", {}};
  EXPECT_EQ(run().exit, ExitCode::Failed);
  EXPECT_EQ(asked.size(), 1U);
}

TEST_F(Draining, APauseThatIsNotConfirmedInTimeStandsAndIsWaitedFor) {
  answers.front() = {ExitCode::TimedOut, "the pause stays on this host by force", {}};
  answers.push_back(verdict(true));
  EXPECT_EQ(run().exit, ExitCode::Done);
}

TEST_F(Draining, AsksForThePauseAgainWhileTheAgentRestarts) {
  answers.clear();
  for (int i = 0; i < 30; ++i) answers.push_back({ExitCode::NoAuthority, "no agent", {}});
  answers.push_back({ExitCode::Done, "held", {}});
  answers.push_back(verdict(true));
  EXPECT_EQ(run().exit, ExitCode::Done);
  answers = {{ExitCode::NoAuthority, "no agent", {}}};
  EXPECT_EQ(run().exit, ExitCode::NoAuthority);
}

TEST_F(Draining, WaitsForAnAuthorityThatDoesNotAnswer) {
  for (int i = 0; i < 100; ++i) {
    answers.push_back({ExitCode::Failed, "connection refused", {}});
  }
  answers.push_back(verdict(true));
  EXPECT_EQ(run().exit, ExitCode::Done);
  EXPECT_EQ(said.at(1), "waiting: no verdict: connection refused");
}

TEST_F(Draining, WaitsForAnAgentThatRestartsButNotForOneThatHasGone) {
  for (int i = 0; i < 30; ++i) answers.push_back({ExitCode::NoAuthority, "no agent", {}});
  answers.push_back(verdict(true));
  EXPECT_EQ(run().exit, ExitCode::Done);
  answers = {{ExitCode::Done, "held", {}}, {ExitCode::NoAuthority, "no agent", {}}};
  const auto end = run();
  EXPECT_EQ(end.exit, ExitCode::NoAuthority);
  EXPECT_EQ(end.text, "no agent");
}

}  // namespace
}  // namespace sluice::agent
