#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "tools/sluicectl/roll/journal.h"
#include "tools/sluicectl/roll/machine.h"

namespace sluice::ctl::rolling {
namespace {

using namespace std::chrono_literals;
using Kind = Action::Kind;

// A pool as the authority would show it, changed by hand; time goes on by hand, too.
class RollMachine : public testing::Test {
 protected:
  void SetUp() override { make({{"a", ""}, {"b", ""}, {"c", ""}}); }

  void make(const std::vector<std::pair<std::string, std::string>>& servers) {
    pool_ = Pool{};
    pool_.name = "pool";
    AnswerSet set;
    set.owner = "pool";
    set.service = "fe";
    set.accepting = servers.size();
    set.min_accepting = 0;
    for (const auto& [name, domain] : servers) {
      set.members.push_back(name);
      Server server;
      server.name = name;
      server.domain = domain;
      server.services.emplace_back();
      server.services[0].name = "fe";
      server.services[0].status = "accepting";
      pool_.servers.push_back(server);
    }
    pool_.answer_sets = {set};
  }

  void begin(const Journal& journal = {}, bool anew = false) {
    const auto groups = groups_of(pool_, settings_);
    machine_.emplace(settings_, groups, lanes_of(groups, journal, anew));
  }

  Server& server(const std::string& name) {
    return *std::find_if(pool_.servers.begin(), pool_.servers.end(),
                         [&](const Server& each) { return each.name == name; });
  }
  Service& service(const std::string& name) { return server(name).services[0]; }
  const Lane& lane(const std::string& name) const { return machine_->lanes()[at(name)]; }
  std::size_t at(const std::string& name) const {
    const auto& lanes = machine_->lanes();
    const auto found = std::find_if(lanes.begin(), lanes.end(),
                                    [&](const Lane& each) { return each.server == name; });
    return static_cast<std::size_t>(found - lanes.begin());
  }

  base::Now now() const { return {base::MonoTime(1h + passed_), base::WallTime(1h + passed_)}; }

  // "drain a", "run b": what it wants done now.
  std::vector<std::string> look() {
    std::vector<std::string> wanted;
    for (const Action& action : machine_->look(pool_, now())) {
      const char* what = action.kind == Kind::Drain ? "drain "
                         : action.kind == Kind::Run ? "run "
                                                    : "resume ";
      wanted.push_back(what + machine_->lanes()[action.lane].server);
    }
    passed_ += 1s;
    return wanted;
  }
  using Wanted = std::vector<std::string>;

  // The authority does as asked.
  void hold(const std::string& name, const std::string& reason = kReason) {
    service(name).status = "draining";
    Hold placed;
    placed.scope = "server";
    placed.origin = "operator";
    placed.reason = reason;
    placed.since = now().wall;
    service(name).holds.push_back(placed);
    auto& set = pool_.answer_sets[0];
    set.members.erase(std::remove(set.members.begin(), set.members.end(), name), set.members.end());
    set.accepting = set.members.size();
  }
  void drain(const std::string& name) {
    hold(name);
    machine_->drained(at(name), now());
  }
  void safe(const std::string& name) {
    service(name).status = "drained";
    server(name).verdict.safe_to_stop = true;
  }
  void lift(const std::string& name) {
    service(name).holds.clear();
    service(name).status = "accepting";
    server(name).verdict = {};
    auto& set = pool_.answer_sets[0];
    set.members.push_back(name);
    set.accepting = set.members.size();
  }
  void resume(const std::string& name) {
    lift(name);
    machine_->resumed(at(name), now());
  }
  void start(const std::string& name) { machine_->started(at(name), now()); }
  void run(const std::string& name, int status = 0) {
    start(name);
    machine_->ran(at(name), status, now());
  }
  // From its turn to its end.
  void roll(const std::string& name) {
    ASSERT_EQ(look(), Wanted{"drain " + name});
    drain(name);
    safe(name);
    ASSERT_EQ(look(), Wanted{"run " + name});
    run(name);
    ASSERT_EQ(look(), Wanted{"resume " + name});
    resume(name);
  }

  Pool pool_;
  Settings settings_;
  std::optional<Machine> machine_;
  base::Duration passed_{0};
};

TEST_F(RollMachine, TakesOneServerAfterTheOther) {
  begin();
  for (const char* name : {"a", "b", "c"}) roll(name);
  EXPECT_FALSE(machine_->over()) << "c has not been seen accepting yet";
  EXPECT_EQ(look(), Wanted{});
  EXPECT_TRUE(machine_->over());
  EXPECT_EQ(machine_->exit(), Exit::Done);
  for (const Lane& each : machine_->lanes()) EXPECT_EQ(each.phase, Phase::Done);
}

TEST_F(RollMachine, WaitsForTheVerdictAndForAccepting) {
  begin();
  look();
  drain("a");
  EXPECT_EQ(look(), Wanted{});
  EXPECT_EQ(lane("a").phase, Phase::Leaving);
  safe("a");
  EXPECT_EQ(look(), Wanted{"run a"});
  start("a");
  EXPECT_EQ(look(), Wanted{}) << "the command runs";
  machine_->ran(at("a"), 0, now());
  EXPECT_EQ(look(), Wanted{"resume a"});
  resume("a");
  service("a").status = "down";
  EXPECT_EQ(look(), Wanted{}) << "nobody else before it accepts";
  service("a").status = "accepting";
  EXPECT_EQ(look(), Wanted{"drain b"});
}

TEST_F(RollMachine, ADrainOrResumeThatNobodyAnsweredIsAskedForAgainUnlessItIsInForce) {
  begin();
  EXPECT_EQ(look(), Wanted{"drain a"});
  EXPECT_EQ(look(), Wanted{"drain a"});
  hold("a");  // the second one got through, its answer did not
  EXPECT_EQ(look(), Wanted{});
  EXPECT_EQ(lane("a").phase, Phase::Leaving);
  safe("a");
  look();
  run("a");
  EXPECT_EQ(look(), Wanted{"resume a"});
  EXPECT_EQ(look(), Wanted{"resume a"});
  lift("a");
  EXPECT_EQ(look(), Wanted{});
  EXPECT_EQ(lane("a").phase, Phase::Returning);
}

TEST_F(RollMachine, TheSoakStartsAnewWhenItLeavesAccepting) {
  settings_.soak = 3s;
  begin();
  roll("a");
  EXPECT_EQ(look(), Wanted{});  // begins to soak
  EXPECT_EQ(look(), Wanted{});
  service("a").status = "down";
  EXPECT_EQ(look(), Wanted{});
  service("a").status = "accepting";
  for (int second = 0; second < 3; ++second) EXPECT_EQ(look(), Wanted{}) << second;
  EXPECT_EQ(look(), Wanted{"drain b"});
}

TEST_F(RollMachine, TheTimeOfEachWaitIsLimited) {
  settings_.limit = 3s;
  begin();
  look();
  drain("a");
  for (int second = 0; second < 3; ++second) look();
  EXPECT_FALSE(machine_->over());
  look();
  EXPECT_TRUE(machine_->over());
  EXPECT_EQ(machine_->exit(), Exit::TimedOut);
  EXPECT_TRUE(lane("a").held());
  EXPECT_EQ(lane("b").phase, Phase::Waiting);
}

TEST_F(RollMachine, TheLimitBoundsASoakThatNeverEnds) {
  settings_.limit = 10s;
  settings_.soak = 5s;
  begin();
  roll("a");
  for (int second = 0; second < 20 && !machine_->over(); ++second) {
    service("a").status = second % 3 == 0 ? "down" : "accepting";
    look();
  }
  EXPECT_TRUE(machine_->over());
  EXPECT_EQ(machine_->exit(), Exit::TimedOut);
  EXPECT_FALSE(lane("a").held());
}

TEST_F(RollMachine, ACommandThatFailsStopsItAndLeavesTheServerHeld) {
  begin();
  look();
  drain("a");
  safe("a");
  look();
  run("a", 7);
  EXPECT_TRUE(machine_->over());
  EXPECT_EQ(machine_->exit(), Exit::Failed);
  EXPECT_EQ(machine_->trouble(), "a: the command ended with 7");
  EXPECT_TRUE(lane("a").held());
  EXPECT_EQ(look(), Wanted{});
}

TEST_F(RollMachine, ARefusalByTheFloorEndsItWithNothingHeld) {
  begin();
  look();
  machine_->refused(at("a"), Exit::Refused, true, "refused by rule floor");
  EXPECT_TRUE(machine_->over());
  EXPECT_EQ(machine_->exit(), Exit::Refused);
  EXPECT_FALSE(lane("a").held());
}

TEST_F(RollMachine, SeveralAtOnceSlideOn) {
  settings_.at_once = 2;
  begin();
  EXPECT_EQ(look(), (Wanted{"drain a", "drain b"}));
  drain("a");
  drain("b");
  safe("a");
  EXPECT_EQ(look(), Wanted{"run a"});
  run("a");
  EXPECT_EQ(look(), Wanted{"resume a"});
  resume("a");
  EXPECT_EQ(look(), Wanted{"drain c"}) << "b drains on";
}

TEST_F(RollMachine, OnlyAsManyAtOnceAsTheFloorAllows) {
  settings_.at_once = 3;
  pool_.answer_sets[0].min_accepting = 1;
  begin();
  EXPECT_EQ(look(), (Wanted{"drain a", "drain b"}));
  drain("a");
  drain("b");
  EXPECT_EQ(look(), Wanted{});
  safe("a");
  look();
  run("a");
  look();
  resume("a");
  EXPECT_EQ(look(), Wanted{"drain c"});
}

TEST_F(RollMachine, AFloorThatThePoolDoesNotShowIsLearntFromItsRefusal) {
  settings_.at_once = 3;
  begin();
  EXPECT_EQ(look().size(), 3U);
  drain("a");
  machine_->refused(at("b"), Exit::Refused, true, "floor");
  machine_->refused(at("c"), Exit::Refused, true, "floor");
  EXPECT_EQ(look(), Wanted{}) << "not asked again while a is out";
  EXPECT_FALSE(machine_->over());
  safe("a");
  look();
  run("a");
  look();
  resume("a");
  EXPECT_EQ(look(), Wanted{"drain b"});
}

TEST_F(RollMachine, OneDomainAfterTheOther) {
  make({{"a", "rack-2"}, {"b", "rack-1"}, {"c", "rack-1"}, {"d", ""}, {"e", ""}});
  settings_.domains = true;
  begin();
  EXPECT_EQ(look(), (Wanted{"drain b", "drain c"}));
  for (const char* name : {"b", "c"}) {
    drain(name);
    safe(name);
  }
  EXPECT_EQ(look(), (Wanted{"run b", "run c"}));
  start("c");
  run("b");
  look();
  resume("b");
  EXPECT_EQ(look(), Wanted{}) << "c is still out";
  machine_->ran(at("c"), 0, now());
  look();
  resume("c");
  EXPECT_EQ(look(), Wanted{"drain a"});
  roll("a");
  EXPECT_EQ(look(), Wanted{"drain d"}) << "who is in no domain goes alone";
}

TEST_F(RollMachine, AServerThatIsNotReadyStopsItBeforeThat) {
  service("b").status = "down";
  begin();
  roll("a");
  EXPECT_EQ(look(), Wanted{});
  EXPECT_TRUE(machine_->over());
  EXPECT_EQ(machine_->exit(), Exit::Failed);
  EXPECT_EQ(machine_->trouble(), "b: fe is down");
  EXPECT_FALSE(lane("b").held());
}

TEST_F(RollMachine, OrIsSkippedWhereTheUserSaysSo) {
  settings_.skip_unready = true;
  hold("a", "somebody's");
  begin();
  EXPECT_EQ(look(), Wanted{"drain b"});
  EXPECT_EQ(lane("a").phase, Phase::Skipped);
}

TEST_F(RollMachine, AHoldThatSomebodyLiftsStopsIt) {
  begin();
  look();
  drain("a");
  look();
  lift("a");
  EXPECT_EQ(look(), Wanted{});
  EXPECT_EQ(machine_->trouble(), "a: the hold was lifted by somebody else");
  EXPECT_FALSE(lane("a").held());
}

TEST_F(RollMachine, AHoldOfAnothersIsNeverLifted) {
  begin();
  look();
  drain("a");
  safe("a");
  look();
  start("a");
  Hold host;
  host.scope = "service";
  host.origin = "host";
  host.by = "root";
  service("a").holds.push_back(host);
  machine_->ran(at("a"), 0, now());
  EXPECT_EQ(look(), Wanted{}) << "a resume would lift the host's as well";
  EXPECT_EQ(machine_->exit(), Exit::Failed);
  EXPECT_NE(machine_->trouble().find("held by somebody else as well: service by root (host)"),
            std::string::npos)
      << machine_->trouble();
}

TEST_F(RollMachine, WhoIsHeldAgainWhileItReturnsStopsIt) {
  settings_.soak = 10s;
  begin();
  roll("a");
  look();
  hold("a", "somebody's");
  EXPECT_EQ(look(), Wanted{});
  EXPECT_EQ(machine_->exit(), Exit::Failed);
  EXPECT_FALSE(lane("a").held()) << "the hold is not ours";
}

TEST_F(RollMachine, AfterAFailureOthersGoBackAndNobodyBegins) {
  settings_.at_once = 2;
  begin();
  look();
  drain("a");
  drain("b");
  safe("a");
  EXPECT_EQ(look(), Wanted{"run a"});
  run("a", 1);
  EXPECT_EQ(look(), Wanted{"resume b"}) << "its command never ran";
  EXPECT_FALSE(machine_->over());
  resume("b");
  EXPECT_TRUE(machine_->over());
  EXPECT_EQ(lane("b").phase, Phase::Waiting);
  EXPECT_TRUE(lane("a").held());
}

TEST_F(RollMachine, AfterAFailureACommandThatRunsIsSeenThrough) {
  settings_.at_once = 2;
  begin();
  look();
  for (const char* name : {"a", "b"}) {
    drain(name);
    safe(name);
  }
  look();
  start("a");
  run("b", 1);
  EXPECT_EQ(look(), Wanted{});
  machine_->ran(at("a"), 0, now());
  EXPECT_EQ(look(), Wanted{"resume a"});
  resume("a");
  EXPECT_EQ(look(), Wanted{});
  EXPECT_TRUE(machine_->over());
  EXPECT_EQ(lane("a").phase, Phase::Done);
  EXPECT_EQ(machine_->trouble(), "b: the command ended with 1");
}

TEST_F(RollMachine, AStopWaitsForCommandsAlone) {
  settings_.at_once = 2;
  begin();
  look();
  drain("a");
  drain("b");
  safe("a");
  look();
  start("a");
  machine_->stop(Exit::Interrupted, "interrupted");
  EXPECT_FALSE(machine_->over());
  machine_->ran(at("a"), 130, now());
  EXPECT_TRUE(machine_->over());
  EXPECT_EQ(machine_->exit(), Exit::Interrupted);
  EXPECT_TRUE(lane("a").held());
  EXPECT_TRUE(lane("b").held());
}

TEST_F(RollMachine, IsHopelessWhereOnlyDnsStandsAgainstIt) {
  begin();
  look();
  drain("a");
  server("a").verdict.reasons = {{.code = "not-by-dns", .text = "not by DNS", .until = {}}};
  look();
  EXPECT_EQ(machine_->exit(), Exit::Refused);
}

TEST_F(RollMachine, AServerThatLeavesThePoolStopsIt) {
  begin();
  look();
  drain("a");
  pool_.servers.erase(pool_.servers.begin());
  look();
  EXPECT_EQ(machine_->trouble(), "a: it is no longer in the pool");
}

// What a roll that was broken off in each phase goes on with.
TEST_F(RollMachine, GoesOnFromWhereItStopped) {
  begin();
  look();
  drain("a");
  look();
  const Journal held = journal_of("pool", "", machine_->lanes());
  begin(held);
  EXPECT_EQ(look(), Wanted{}) << "a is held by us already";
  EXPECT_EQ(lane("a").phase, Phase::Leaving);
  safe("a");
  EXPECT_EQ(look(), Wanted{"run a"});
  run("a");
  const Journal ran = journal_of("pool", "", machine_->lanes());
  begin(ran);
  EXPECT_EQ(look(), Wanted{"resume a"}) << "the command does not run again";
  resume("a");
  service("a").status = "down";
  const Journal resumed = journal_of("pool", "", machine_->lanes());
  begin(resumed);
  EXPECT_EQ(look(), Wanted{});
  service("a").status = "accepting";
  EXPECT_EQ(look(), Wanted{"drain b"});
  const Journal done = journal_of("pool", "", machine_->lanes());
  begin(done);
  EXPECT_EQ(lane("a").phase, Phase::Done);
  EXPECT_EQ(look(), Wanted{"drain b"});
}

TEST_F(RollMachine, AnUndoneDrainIsDoneAgain) {
  begin();
  look();
  drain("a");
  look();
  const Journal held = journal_of("pool", "", machine_->lanes());
  lift("a");  // as the report told to undo it
  begin(held);
  EXPECT_EQ(look(), Wanted{"drain a"});
}

TEST_F(RollMachine, AHoldOfTheSameReasonThatIsNotTheSameIsAnothers) {
  begin();
  look();
  drain("a");
  look();
  const Journal held = journal_of("pool", "", machine_->lanes());
  lift("a");
  passed_ += 1h;
  hold("a");  // another roll's, on another host
  begin(held);
  EXPECT_EQ(look(), Wanted{});
  EXPECT_EQ(machine_->exit(), Exit::Failed);
  EXPECT_FALSE(lane("a").held());
}

TEST_F(RollMachine, BegunAnewItKeepsItsHoldsAndNothingElse) {
  begin();
  roll("a");
  look();
  drain("b");
  look();
  const Journal journal = journal_of("pool", "", machine_->lanes());
  begin(journal, true);
  EXPECT_EQ(lane("a").phase, Phase::Waiting);
  EXPECT_EQ(look(), Wanted{}) << "b goes first: it is on its way";
  EXPECT_EQ(lane("b").phase, Phase::Leaving);
}

TEST_F(RollMachine, TellsEachStepOnce) {
  begin();
  roll("a");
  look();
  std::vector<std::string> told;
  for (const Step& step : machine_->take_steps()) told.emplace_back(to_string(step.kind));
  EXPECT_EQ(told, (std::vector<std::string>{"drained", "safe", "command", "command-ended",
                                            "resumed", "accepting", "done"}));
  EXPECT_TRUE(machine_->take_steps().empty());
}

}  // namespace
}  // namespace sluice::ctl::rolling
