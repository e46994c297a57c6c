#include "tools/sluice-agent/host_holds.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::agent {
namespace {

using testing::HasSubstr;
using Command = ControlRequest::Command;

constexpr const char* kA = "attendant";
constexpr const char* kB = "call-park";

ServiceOrder held(std::string reason = "") {
  return {true, std::move(reason), false, {}, false};
}
ServiceOrder refused() {
  return {false, "", false, PauseRefusal{"floor", "", {{"accepting", 2}}}, false};
}

struct Holds : testing::Test {
  HostState state;
  HostState disk;
  bool disk_fails = false;
  int pushes = 0;
  std::uint64_t seq = 0;
  base::Now now{base::MonoTime(std::chrono::seconds(1000)),
                base::WallTime(std::chrono::milliseconds(1'795'000'000'500))};
  std::vector<ControlAnswer> answers;
  HostHolds holds{state,
                  {kA, kB},
                  2,
                  {[this] { return keep(); }, [this] { ++pushes; },
                   [](const std::string& service) { return "boot/" + service; }}};

  base::Checked<base::Done> keep() {
    if (disk_fails) return base::failure("no space");
    disk = state;
    return base::Done{};
  }
  void ask(ControlRequest request) {
    holds.ask(request, "root", now, [this](ControlAnswer answer) { answers.push_back(answer); });
  }
  void pause(std::optional<std::string> service = {}, bool force = false) {
    ask({Command::Pause, std::move(service), "patch", config::Startup::Manual, force});
  }
  void resume(std::optional<std::string> service = {}) {
    ask({Command::Resume, std::move(service), "", {}, false});
  }
  void push() { holds.pushed(++seq); }
  std::set<std::string, std::less<>> answer(
      std::map<std::string, ServiceOrder, std::less<>> orders) {
    return holds.answered(seq, {17, std::chrono::seconds(6), std::move(orders), false}, now);
  }
  std::set<std::string, std::less<>> push_and_answer(
      std::map<std::string, ServiceOrder, std::less<>> orders) {
    push();
    return answer(std::move(orders));
  }
  void fail(int times) {
    for (int i = 0; i < times; ++i) holds.failed("refused", now);
  }
  ControlAnswer last() const { return answers.empty() ? ControlAnswer{} : answers.back(); }
  bool on_disk(const char* service) const {
    const auto found = disk.services.find(service);
    return found != disk.services.end() && found->second.pause;
  }
};

TEST_F(Holds, AnAcceptedPauseIsOnDiskBeforeItIsConfirmed) {
  pause(kA);
  EXPECT_EQ(pushes, 1);
  EXPECT_TRUE(holds.paused(kA)) << "the push asks for it";
  EXPECT_FALSE(holds.paused(kB));
  EXPECT_FALSE(on_disk(kA));
  EXPECT_TRUE(answers.empty());
  push_and_answer({{kA, held()}, {kB, {}}});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(last().exit, ExitCode::Done);
  EXPECT_THAT(last().text, HasSubstr("attendant is held (generation 17)"));
  EXPECT_TRUE(on_disk(kA));
  const auto kept = *disk.services[kA].pause;
  EXPECT_EQ(kept.by, "root");
  EXPECT_EQ(kept.reason, "patch");
  EXPECT_EQ(kept.startup, config::Startup::Manual);
  EXPECT_EQ(kept.since, base::WallTime(std::chrono::seconds(1'795'000'000)));
}

TEST_F(Holds, AReplyToAPushFromBeforeThePauseConfirmsNothing) {
  push();
  pause(kA);
  answer({{kA, held()}});
  EXPECT_TRUE(answers.empty());
  push_and_answer({{kA, held()}});
  EXPECT_EQ(answers.size(), 1U);
}

TEST_F(Holds, APauseIsConfirmedOnlyWhenEachOfItsServicesIsHeld) {
  pause();
  push_and_answer({{kA, held()}, {kB, {}}});
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(pushes, 2) << "asked again";
  push_and_answer({{kA, held()}, {kB, held()}});
  EXPECT_EQ(last().exit, ExitCode::Done);
  EXPECT_TRUE(on_disk(kA) && on_disk(kB));
}

TEST_F(Holds, OneRefusalDropsThePauseOnAllThatTheRequestNamed) {
  pause();
  const auto dropped = push_and_answer({{kA, held()}, {kB, refused()}});
  EXPECT_EQ(last().exit, ExitCode::Refused);
  EXPECT_THAT(last().text, HasSubstr("call-park: floor (accepting 2)"));
  EXPECT_FALSE(holds.paused(kA) || holds.paused(kB));
  EXPECT_FALSE(on_disk(kA) || on_disk(kB));
  EXPECT_EQ(dropped, (std::set<std::string, std::less<>>{kA, kB})) << "no hook runs for it";
  EXPECT_EQ(pushes, 2) << "the authority hears that nothing is paused";
}

TEST_F(Holds, WithoutAnAuthorityAPauseIsRefusedAndNothingKept) {
  pause(kA);
  push();
  fail(2);
  EXPECT_TRUE(answers.empty()) << "a lost packet refuses nobody";
  fail(1);
  EXPECT_EQ(last().exit, ExitCode::NoAuthority);
  EXPECT_THAT(last().text, HasSubstr("--force"));
  EXPECT_FALSE(holds.paused(kA));
  EXPECT_FALSE(on_disk(kA));
}

TEST_F(Holds, AForcedPauseIsKeptWhenNoAuthorityAnswers) {
  pause(kA, true);
  EXPECT_TRUE(on_disk(kA));
  fail(3);
  EXPECT_EQ(last().exit, ExitCode::Done);
  EXPECT_THAT(last().text, HasSubstr("when it answers"));
  ASSERT_TRUE(holds.paused(kA));
  EXPECT_TRUE(holds.paused(kA)->force);
  push_and_answer({{kA, held()}});
  EXPECT_TRUE(holds.paused(kA));
}

TEST_F(Holds, AForcedPauseOutlivesARefusal) {
  pause(kA, true);
  push_and_answer({{kA, refused()}});
  EXPECT_EQ(last().exit, ExitCode::Refused);
  EXPECT_TRUE(on_disk(kA));
  push_and_answer({{kA, refused()}});
  EXPECT_TRUE(on_disk(kA));
}

TEST_F(Holds, AStandingPauseThatIsRefusedLaterIsDropped) {
  pause(kA);
  push_and_answer({{kA, held()}});
  EXPECT_EQ(push_and_answer({{kA, refused()}}).count(kA), 1U);
  EXPECT_FALSE(holds.paused(kA));
  EXPECT_FALSE(on_disk(kA));
}

TEST_F(Holds, AnAcceptedPauseRemembersWhatWasPaused) {
  pause(kA, true);
  EXPECT_EQ(holds.paused(kA)->instance, "boot/attendant");
  EXPECT_EQ(disk.services.at(kA).pause->instance, "boot/attendant");
}

TEST_F(Holds, AnOperatorsResumeLiftsEvenAForcedPause) {
  pause(kA, true);
  push_and_answer({{kA, held()}});
  const int before = pushes;
  push_and_answer({{kA, {true, "", true, {}, false}}});
  EXPECT_FALSE(holds.paused(kA));
  EXPECT_FALSE(on_disk(kA));
  EXPECT_EQ(pushes, before + 1) << "said at once";
}

TEST_F(Holds, AnOperatorsResumeInTheSameMomentIsNoSuccess) {
  for (const bool force : {false, true}) {
    pause(kA, force);
    push_and_answer({{kA, {true, "", true, {}, false}}});
    EXPECT_EQ(last().exit, ExitCode::Failed);
    EXPECT_THAT(last().text, HasSubstr("resumed by an operator"));
    EXPECT_FALSE(holds.paused(kA));
    EXPECT_FALSE(on_disk(kA));
  }
}

TEST_F(Holds, ASecondPauseIsTheSameHold) {
  pause(kA);
  push_and_answer({{kA, held()}});
  const HostState before = disk;
  pause(kA);
  EXPECT_EQ(last().exit, ExitCode::Done);
  EXPECT_THAT(last().text, HasSubstr("already"));
  EXPECT_EQ(disk, before);
}

TEST_F(Holds, AFullDiskFailsThePauseAndTakesItBack) {
  disk_fails = true;
  pause(kA);
  push_and_answer({{kA, held()}});
  EXPECT_EQ(last().exit, ExitCode::Failed);
  EXPECT_THAT(last().text, HasSubstr("no space"));
  EXPECT_FALSE(holds.paused(kA));
  EXPECT_EQ(pushes, 2);
  pause(kA, true);
  EXPECT_EQ(last().exit, ExitCode::Failed);
  EXPECT_FALSE(holds.paused(kA));
}

TEST_F(Holds, AFullDiskFailsTheResumeAndThePauseStands) {
  pause(kA);
  push_and_answer({{kA, held()}});
  disk_fails = true;
  resume(kA);
  EXPECT_EQ(last().exit, ExitCode::Failed);
  EXPECT_TRUE(holds.paused(kA));
}

TEST_F(Holds, ResumeLiftsAndWaitsForTheAuthority) {
  pause();
  push_and_answer({{kA, held()}, {kB, held()}});
  resume(kB);
  EXPECT_FALSE(on_disk(kB));
  EXPECT_TRUE(on_disk(kA));
  EXPECT_EQ(answers.size(), 1U);
  push_and_answer({{kA, held()}, {kB, {}}});
  EXPECT_EQ(last().exit, ExitCode::Done);
  EXPECT_THAT(last().text, HasSubstr("call-park"));
}

TEST_F(Holds, ResumeSaysWhoStillHolds) {
  pause(kA);
  push_and_answer({{kA, held()}});
  resume(kA);
  push_and_answer({{kA, held("maintenance")}});
  EXPECT_EQ(answers.size(), 1U) << "it may only be late: one more look";
  push_and_answer({{kA, held("maintenance")}});
  EXPECT_EQ(last().exit, ExitCode::Done);
  EXPECT_THAT(last().text, HasSubstr("still held by the authority: maintenance"));
}

TEST_F(Holds, ResumeWithoutAnAuthorityLiftsAndSaysSo) {
  pause(kA);
  push_and_answer({{kA, held()}});
  resume(kA);
  fail(3);
  EXPECT_EQ(last().exit, ExitCode::NoAuthority);
  EXPECT_FALSE(on_disk(kA));
  resume(kA);
  push_and_answer({{kA, {}}});
  EXPECT_EQ(last().exit, ExitCode::Done) << "a retry is harmless";
}

TEST_F(Holds, AnAuthorityThatNeverConfirmsRunsOutOfPatience) {
  pause(kA);
  push_and_answer({{kA, {}}});
  now.mono += HostHolds::kPatience - std::chrono::milliseconds(1);
  holds.tick(now);
  EXPECT_TRUE(answers.empty());
  now.mono += std::chrono::milliseconds(1);
  holds.tick(now);
  EXPECT_EQ(last().exit, ExitCode::TimedOut);
  EXPECT_FALSE(holds.paused(kA));
}

TEST_F(Holds, AServiceThatIsNotInTheReplyIsWaitedFor) {
  pause();
  push_and_answer({{kA, held()}});
  EXPECT_TRUE(answers.empty()) << "its first check may still run";
  push_and_answer({{kA, held()}, {kB, held()}});
  EXPECT_EQ(last().exit, ExitCode::Done);
}

TEST_F(Holds, RequestsAreServedOneAfterTheOther) {
  pause(kA);
  resume(kA);
  push_and_answer({{kA, held()}});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_FALSE(holds.paused(kA)) << "the second has begun";
  push_and_answer({{kA, {}}});
  EXPECT_EQ(answers.size(), 2U);
  EXPECT_FALSE(holds.busy());
}

TEST_F(Holds, AFailureOfOneRequestIsNoAnswerToTheNext) {
  pause(kA);
  pause(kB);
  disk_fails = true;
  push_and_answer({{kA, held()}, {kB, {}}});
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(last().exit, ExitCode::Failed);
  disk_fails = false;
  push_and_answer({{kA, {}}, {kB, held()}});
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_EQ(last().exit, ExitCode::Done);
  EXPECT_FALSE(on_disk(kA));
  EXPECT_TRUE(on_disk(kB));
}

TEST_F(Holds, AServiceThatIsNotPushedCannotBePaused) {
  pause("announcement");
  EXPECT_EQ(last().exit, ExitCode::Failed);
  EXPECT_THAT(last().text, HasSubstr("attendant, call-park"));
  EXPECT_EQ(pushes, 0);
}

TEST_F(Holds, APauseOfAServiceThatLeftTheConfigurationCanBeLifted) {
  state.services["gone"].pause = health::HostPause{"root", "", {}, {}, false};
  resume("gone");
  push_and_answer({{kA, {}}, {kB, {}}});
  EXPECT_EQ(last().exit, ExitCode::Done);
  state.services["gone"].pause = health::HostPause{"root", "", {}, {}, false};
  resume();
  push_and_answer({{kA, {}}, {kB, {}}});
  EXPECT_FALSE(on_disk("gone"));
}

}  // namespace
}  // namespace sluice::agent
