// What agents push: semantics.md sections 2 to 4.

#include "gmock/gmock.h"

#include "tests/health/fixture.h"

namespace sluice::health::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(AuthorityTest, AHeartbeatThatChangesNothingPublishesNothing) {
  start();
  all_up();
  const std::uint64_t publications = publisher.publications;
  all_up();
  EXPECT_EQ(publisher.publications, publications);
}

TEST_F(AuthorityTest, AnOlderSeqIsRefusedAndChangesNothing) {
  start();
  all_up();
  Heartbeat old = up();
  push("a", up());
  for (auto& [service, report] : old.services) report.health = Health::Down;
  const auto reply = push("a", old);
  ASSERT_FALSE(*reply);
  EXPECT_EQ(reply->error().rule, "seq");
  EXPECT_EQ(members(kPool), "abc");
}

TEST_F(AuthorityTest, ABootIdThatWasFollowedByAnotherIsRefused) {
  start();
  push("a", up("i1", "boot-1"));
  ASSERT_TRUE(*push("a", up("i1", "boot-2")));
  const auto reply = push("a", up("i1", "boot-1"));
  ASSERT_FALSE(*reply);
  EXPECT_EQ(reply->error().rule, "seq");
}

TEST_F(AuthorityTest, ANewBootIdStartsItsSeqAnew) {
  start();
  Heartbeat first = up("i1", "boot-1");
  first.seq = 1'000'000;
  push("a", first);
  Heartbeat second = up("i1", "boot-2");
  second.seq = 5;
  EXPECT_TRUE(*push("a", second));
}

TEST_F(AuthorityTest, AnUnknownServiceIsNamedByItsPath) {
  start();
  Heartbeat heartbeat = up();
  heartbeat.services.emplace("fax", ServiceReport{});
  const auto reply = push("a", heartbeat);
  ASSERT_FALSE(*reply);
  EXPECT_EQ(reply->error().kind, Refusal::Kind::BadInput);
  EXPECT_EQ(reply->error().member, "services.fax");
}

TEST_F(AuthorityTest, AServiceThatIsLeftOutKeepsWhatWasSaid) {
  start();
  all_up();
  Heartbeat partial = up();
  partial.services.erase("call-park");
  push("a", partial);
  EXPECT_EQ(view("a", "call-park").status, Status::Accepting);
}

TEST_F(AuthorityTest, ANewInstanceReleasesAnAutomaticHold) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  push("b", up("i2"));
  EXPECT_EQ(members(kPool), "abc");
  EXPECT_THAT(store.disk.holds, IsEmpty()) << "the last of its services was released";
  EXPECT_THAT(events, ::testing::Contains(::testing::Field(&Event::type, EventType::Release)));
}

TEST_F(AuthorityTest, ANewInstanceReleasesItsOwnServiceAlone) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  Heartbeat restarted = up("i1");
  restarted.services.at("call-park").instance = "i2";
  push("b", restarted);
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_EQ(members(kCallPark), "abc");
  ASSERT_EQ(store.disk.holds.size(), 1U);
  EXPECT_TRUE(store.disk.holds.front().released.contains("call-park"));

  ASSERT_TRUE(*drain("b")) << "a drain of a server that was released in part holds it whole again";
  EXPECT_EQ(members(kCallPark), "ac");
}

TEST_F(AuthorityTest, AManualHoldStaysAndTheStatusIsHeld) {
  start();
  all_up();
  DrainRequest request;
  request.server = "b.pool.example";
  request.startup = config::Startup::Manual;
  ASSERT_TRUE(*drain(request));
  push("b", up("i2"));
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_EQ(view("b").status, Status::Held);
  ASSERT_TRUE(**resume("b"));
  EXPECT_EQ(members(kPool), "abc");
}

TEST_F(AuthorityTest, AHoldPlacedBeforeAnyInstanceIsKnownAdoptsTheNext) {
  start();
  ASSERT_TRUE(*drain("b"));
  push("b", up("i1"));
  EXPECT_EQ(members(kPool), "ac") << "no restart: the first instance that is seen";
  push("b", up("i2"));
  EXPECT_EQ(members(kPool), "abc");
}

TEST_F(AuthorityTest, TheAuthoritysOwnRestartChangesNothing) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  restart();
  EXPECT_EQ(members(kPool), "ac") << "in force from the first packet";
  all_up();
  EXPECT_EQ(members(kPool), "ac");
  push("b", up("i2"));
  EXPECT_EQ(members(kPool), "abc") << "the hold remembers its instances across the restart";
}

TEST_F(AuthorityTest, AStopAndAStartAreARestart) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  Heartbeat stopped = up();
  for (auto& [service, report] : stopped.services) {
    report.health = Health::Stopped;
    report.instance.reset();
  }
  push("b", stopped);
  EXPECT_EQ(view("b").status, Status::Down);
  EXPECT_EQ(members(kPool), "ac");
  push("b", up("i2"));
  EXPECT_EQ(members(kPool), "abc");
}

TEST_F(AuthorityTest, AFailedCheckWhileHeldIsShownAndChangesNothing) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  Heartbeat refusing = up();
  for (auto& [service, report] : refusing.services) report.health = Health::Down;
  push("b", refusing);
  EXPECT_EQ(view("b").status, Status::Draining);
  EXPECT_EQ(view("b").health, Health::Down);
}

Heartbeat paused(Heartbeat heartbeat, bool force = false) {
  HostPause pause{"root", "patch", {}, {}, force};
  for (auto& [service, report] : heartbeat.services) report.paused = pause;
  return heartbeat;
}

TEST_F(AuthorityTest, AHostsPauseIsAHoldOfOriginHost) {
  start();
  all_up();
  const auto reply = push("b", paused(up()));
  ASSERT_TRUE(*reply);
  EXPECT_TRUE((*reply)->services.at("front-end").held);
  EXPECT_EQ(members(kPool), "ac");
  EXPECT_EQ(view("b").holds.front().origin, Origin::Host);
  EXPECT_EQ(view("b").holds.front().by, "root");
  push("b", up());
  EXPECT_EQ(members(kPool), "abc") << "the host lifted it";
  EXPECT_THAT(store.disk.holds, IsEmpty());
}

TEST_F(AuthorityTest, AHostsPauseBelowTheFloorIsRefusedUnlessForced) {
  start(test_config({"a"}));
  all_up();
  const auto refused = push("a", paused(up()));
  ASSERT_TRUE((*refused)->services.at("front-end").refused);
  EXPECT_EQ((*refused)->services.at("front-end").refused->rule, "floor");
  EXPECT_FALSE((*refused)->services.at("front-end").held);
  EXPECT_EQ(members(kPool), "a");
  const auto forced = push("a", paused(up(), true));
  EXPECT_TRUE((*forced)->services.at("front-end").held);
  EXPECT_TRUE(view("a").holds.front().forced);
}

TEST_F(AuthorityTest, TheReplySaysHeldOnlyWhenThePromiseHolds) {
  start();
  all_up();
  store.immediate = false;
  std::optional<Outcome<HeartbeatReply>> reply;
  authority->heartbeat("b.pool.example", paused(up()),
                       [&](Outcome<HeartbeatReply> outcome) { reply = std::move(outcome); });
  EXPECT_FALSE(reply);
  served();
  EXPECT_FALSE(reply);
  store.flush();
  ASSERT_TRUE(reply && *reply);
  EXPECT_TRUE((*reply)->services.at("front-end").held);
}

TEST_F(AuthorityTest, ResumeOfAHostsPauseAsksTheAgentToLiftIt) {
  start();
  all_up();
  push("b", paused(up()));
  const auto resumed = resume("b");
  EXPECT_FALSE(*resumed) << "waits for the agent";
  const auto reply = push("b", paused(up()));
  EXPECT_TRUE((*reply)->services.at("front-end").lift);
  EXPECT_EQ(members(kPool), "ac");
  push("b", up());
  ASSERT_TRUE(*resumed && **resumed);
  EXPECT_EQ(members(kPool), "abc");
}

TEST_F(AuthorityTest, ResumeOfAHostsPauseFailsWhenNoAgentAnswers) {
  start();
  all_up();
  push("b", paused(up()));
  const auto resumed = resume("b");
  pass(5s, {"a", "c"});
  ASSERT_TRUE(*resumed && !**resumed);
  EXPECT_EQ((*resumed)->error().kind, Refusal::Kind::NoAnswer);
  EXPECT_THAT((*resumed)->error().detail, HasSubstr("held by the host itself"));
  EXPECT_EQ(members(kPool), "ac");
}

TEST_F(AuthorityTest, ANewInstanceReleasesTheHostsPauseAndAsksItsAgentToDropIt) {
  start();
  all_up();
  push("b", paused(up()));
  const auto reply = push("b", paused(up("i2")));
  EXPECT_TRUE((*reply)->services.at("front-end").lift);
  EXPECT_FALSE((*reply)->services.at("front-end").held);
  EXPECT_EQ(members(kPool), "abc");
  push("b", up("i2"));
  push("b", paused(up("i2")));
  EXPECT_EQ(members(kPool), "ac") << "a new pause is a new hold";
}

TEST_F(AuthorityTest, TheVerdictTurnsGreenAfterTheHorizonWithZeroSessions) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  EXPECT_THAT(codes(authority->server("b.pool.example")->verdict),
              ::testing::ElementsAre("horizon"));
  EXPECT_EQ(view("b").status, Status::Draining);
  pass(32s, {"a", "b", "c"});
  EXPECT_TRUE(authority->server("b.pool.example")->verdict.safe_to_stop);
  EXPECT_EQ(view("b").status, Status::Drained);

  Heartbeat busy = up();
  busy.services.at("front-end").sessions = Sessions{{"calls", 2}};
  push("b", busy);
  EXPECT_EQ(view("b").status, Status::Draining);
  busy = up();
  busy.services.at("front-end").sessions.reset();
  push("b", busy);
  EXPECT_THAT(codes(view("b").verdict), ::testing::ElementsAre("sessions-unknown"));
}

TEST_F(AuthorityTest, ANewConnectionAfterTheHorizonKeepsTheVerdictRed) {
  start();
  all_up();
  ASSERT_TRUE(*drain("b"));
  pass(40s, {"a", "b", "c"});
  Heartbeat late = up();
  late.services.at("front-end").last_new_connection = 1s;
  push("b", late);
  EXPECT_THAT(codes(view("b").verdict), ::testing::ElementsAre("new-connections"));
}

TEST_F(AuthorityTest, DrainOfADownServerComesBackAcceptingOrHeld) {
  for (const auto startup : {config::Startup::Automatic, config::Startup::Manual}) {
    start();
    all_up();
    Heartbeat stopped = up();
    for (auto& [service, report] : stopped.services) {
      report.health = Health::Stopped;
      report.instance.reset();
    }
    push("b", stopped);
    DrainRequest request;
    request.server = "b.pool.example";
    request.startup = startup;
    ASSERT_TRUE(*drain(request));
    push("b", up("i2"));
    const bool automatic = startup == config::Startup::Automatic;
    EXPECT_EQ(view("b").status, automatic ? Status::Accepting : Status::Held);
    ASSERT_TRUE(**resume("b"));
  }
}

TEST_F(AuthorityTest, AServiceThatWasNeverSeenRunningHasNoInstanceToKeep) {
  start();
  Heartbeat stopped = up();
  for (auto& [service, report] : stopped.services) {
    report.health = Health::Stopped;
    report.instance.reset();
  }
  push("b", stopped);
  ASSERT_TRUE(*drain("b"));
  push("b", up("i1"));
  EXPECT_EQ(view("b").status, Status::Accepting);
}

TEST_F(AuthorityTest, APauseThatTheStoreFailedIsInForceButNotToldAsHeld) {
  start();
  all_up();
  store.failure = "disk full";
  const auto reply = push("b", paused(up()));
  EXPECT_FALSE((*reply)->services.at("front-end").held);
  EXPECT_EQ(members(kPool), "ac");
  store.failure.reset();
  EXPECT_TRUE((*push("b", paused(up())))->services.at("front-end").held);
}

TEST_F(AuthorityTest, AnOperatorsDrainIsToldAsHeldOnceItIsServed) {
  start();
  all_up();
  authority->drain({"b.pool.example", {}, "", {}, false, false, {}, Then::Lift}, {},
                   [](const Outcome<DrainReply>&) {});
  std::optional<Outcome<HeartbeatReply>> reply;
  authority->heartbeat("b.pool.example", up(),
                       [&](Outcome<HeartbeatReply> outcome) { reply = std::move(outcome); });
  ASSERT_TRUE(reply && *reply);
  EXPECT_FALSE((*reply)->services.at("front-end").held);
  served();
  EXPECT_TRUE((*push("b", up()))->services.at("front-end").held);
}

// An agent whose authority was away: the service was paused, restarted, and only then is it heard
// of.
TEST_F(AuthorityTest, APauseThatIsToldAfterTheRestartIsReleasedByIt) {
  start();
  all_up();
  Heartbeat heartbeat = up("i2");
  heartbeat.services["front-end"].paused = HostPause{"root", "stop", {}, {}, true, "boot/i1"};
  push("b", heartbeat);
  heartbeat.seq = ++seq;
  const auto reply = push("b", heartbeat);
  EXPECT_TRUE((*reply)->services.find("front-end")->second.lift);
  EXPECT_TRUE(view("b").holds.empty());
  // The same without the restart stands.
  heartbeat = up("i1");
  heartbeat.services["front-end"].paused = HostPause{"root", "stop", {}, {}, true, "boot/i1"};
  push("c", heartbeat);
  heartbeat.seq = ++seq;
  push("c", heartbeat);
  EXPECT_EQ(view("c").holds.size(), 1U);
}

TEST_F(AuthorityTest, WhileOneOfTwoHoldsIsNotOnDiskAServiceIsPendingNotFree) {
  start();
  all_up();
  drain("b");
  const auto order = [&] {
    const auto reply = push("b", up());
    return (*reply)->services.find("front-end")->second;
  };
  EXPECT_TRUE(order().held);
  store.failure = "no space";
  drain("b", "front-end");
  EXPECT_FALSE(order().held);
  EXPECT_TRUE(order().pending) << "its on_resume must not run";
  resume("b");
  resume("b", "front-end");
}

TEST_F(AuthorityTest, AHookThatFailedStandsAgainstTheVerdictWhileItsServiceRuns) {
  start();
  all_up();
  drain("b");
  Heartbeat heartbeat = up();
  heartbeat.services["front-end"].hook = HookOutcome{"failed", "on_hold: exit status 7"};
  push("b", heartbeat);
  const auto reasons = view("b").verdict.reasons;
  ASSERT_FALSE(reasons.empty());
  EXPECT_EQ(reasons.front().code, "hook-failed");
  EXPECT_EQ(reasons.front().text,
            "the hook of front-end on its host has failed: on_hold: exit status 7");
  heartbeat.seq = ++seq;
  heartbeat.services["front-end"].health = Health::Stopped;
  push("b", heartbeat);
  EXPECT_THAT(codes(view("b").verdict), ::testing::Not(::testing::Contains("hook-failed")));
}

}  // namespace
}  // namespace sluice::health::testing
