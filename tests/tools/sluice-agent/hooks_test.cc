#include "tools/sluice-agent/hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/base/loop.h"
#include "tests/tools/sluice-agent/folder.h"

namespace sluice::agent {
namespace {

struct HooksOfOneService : testing::Test {
  TestFolder folder;
  base::TestLoop loop;
  HostState state;
  int changes = 0;
  config::AgentService service;

  HooksOfOneService() {
    service.name = "front-end";
    service.on_hold.command = {"sh", "-c", "echo hold >> " + folder.file("log")};
    service.on_resume.command = {"sh", "-c", "echo resume >> " + folder.file("log")};
  }
  std::vector<config::AgentService> services;
  Hooks make(base::Duration first_pause = Hooks::kFirstPause) {
    services = {service};
    return Hooks(
        loop.get(), services, state, [this] { ++changes; }, first_pause);
  }
  bool ends(const Hooks& hooks, const char* how) {
    return loop.run_until([&] {
      const auto outcome = hooks.outcome("front-end");
      return outcome && outcome->state == how;
    });
  }
  std::string log() const { return folder.read("log"); }
};

TEST_F(HooksOfOneService, RunOnceForEachChange) {
  Hooks hooks = make();
  hooks.on_held("front-end", false);
  EXPECT_FALSE(hooks.outcome("front-end")) << "it was never held";
  hooks.on_held("front-end", true);
  EXPECT_EQ(state.services["front-end"].hook->outcome.state, "running");
  EXPECT_EQ(changes, 1) << "on disk before it runs";
  hooks.on_held("front-end", true);
  ASSERT_TRUE(ends(hooks, "ok"));
  hooks.on_held("front-end", true);
  EXPECT_EQ(log(), "hold\n");
  hooks.on_held("front-end", false);
  ASSERT_TRUE(ends(hooks, "ok"));
  EXPECT_EQ(log(), "hold\nresume\n");
}

TEST_F(HooksOfOneService, AreNotRepeatedByTheNextAgent) {
  {
    Hooks hooks = make();
    hooks.on_held("front-end", true);
    ASSERT_TRUE(ends(hooks, "ok"));
  }
  Hooks hooks = make();
  hooks.on_held("front-end", true);
  EXPECT_EQ(hooks.outcome("front-end")->state, "ok");
  hooks.on_held("front-end", false);
  ASSERT_TRUE(loop.run_until([&] { return log() == "hold\nresume\n"; }));
  ASSERT_TRUE(ends(hooks, "ok"));
}

TEST_F(HooksOfOneService, ThatTheEndOfTheAgentCutShortHaveFailed) {
  service.on_hold.command = {"sleep", "1000"};
  {
    Hooks hooks = make();
    hooks.on_held("front-end", true);
  }
  Hooks hooks = make();
  EXPECT_EQ(hooks.outcome("front-end")->state, "failed");
  hooks.on_held("front-end", true);
  EXPECT_EQ(hooks.outcome("front-end")->state, "failed") << "not at once";
}

TEST_F(HooksOfOneService, ThatFailSayWhyAndWaitBeforeTheyRunAgain) {
  service.on_hold.command = {"sh", "-c",
                             "echo x >> " + folder.file("log") + "; echo broken >&2; exit 7"};
  Hooks hooks = make();
  hooks.on_held("front-end", true);
  ASSERT_TRUE(ends(hooks, "failed"));
  EXPECT_EQ(hooks.outcome("front-end")->text, "on_hold: exit status 7: broken");
  hooks.on_held("front-end", true);
  EXPECT_EQ(hooks.outcome("front-end")->state, "failed");
  EXPECT_EQ(log(), "x\n");
}

TEST_F(HooksOfOneService, RunInOrderWhenTheHoldChangesMeanwhile) {
  Hooks hooks = make();
  hooks.on_held("front-end", true);
  hooks.on_held("front-end", false);
  hooks.on_held("front-end", true);
  hooks.on_held("front-end", false);
  ASSERT_TRUE(loop.run_until([&] { return log() == "hold\nresume\n"; })) << log();
  ASSERT_TRUE(ends(hooks, "ok"));
}

TEST_F(HooksOfOneService, WithoutACommandOnlyTheChangeIsRemembered) {
  service.on_resume.command.clear();
  Hooks hooks = make();
  hooks.on_held("front-end", true);
  ASSERT_TRUE(ends(hooks, "ok"));
  hooks.on_held("front-end", false);
  EXPECT_FALSE(hooks.outcome("front-end")) << "what on_hold said is over";
  hooks.on_held("front-end", true);
  ASSERT_TRUE(ends(hooks, "ok"));
  EXPECT_EQ(log(), "hold\nhold\n");
}

TEST_F(HooksOfOneService, OfAServiceWithoutHooksLeaveNoTrace) {
  service.on_hold.command.clear();
  service.on_resume.command.clear();
  Hooks hooks = make();
  hooks.on_held("front-end", true);
  hooks.on_held("unheard-of", true);
  EXPECT_TRUE(state.services.empty());
  EXPECT_EQ(changes, 0);
}

TEST_F(HooksOfOneService, ThatFailedRunAgainWhileTheHoldStands) {
  service.on_hold.command = {
      "sh", "-c", "echo x >> " + folder.file("log") + "; test -e " + folder.file("ready")};
  Hooks hooks = make(std::chrono::milliseconds(10));
  hooks.on_held("front-end", true);
  ASSERT_TRUE(loop.run_until([&] { return log() == "x\nx\nx\n"; }));
  folder.write("ready", "");
  ASSERT_TRUE(ends(hooks, "ok"));
  const std::string runs = log();
  hooks.on_held("front-end", true);
  EXPECT_EQ(log(), runs) << "one that has ended well is over";
}

TEST_F(HooksOfOneService, ThatTheEndOfTheAgentCutShortRunAgain) {
  service.on_hold.command = {"sleep", "1000"};
  {
    Hooks hooks = make();
    hooks.on_held("front-end", true);
  }
  service.on_hold.command = {"true"};
  Hooks hooks = make(std::chrono::milliseconds(10));
  EXPECT_TRUE(ends(hooks, "ok"));
}

TEST_F(HooksOfOneService, AreKilledAtTheirTimeLimit) {
  service.on_hold.command = {"sleep", "1000"};
  service.on_hold.timeout = std::chrono::milliseconds(100);
  Hooks hooks = make();
  hooks.on_held("front-end", true);
  ASSERT_TRUE(ends(hooks, "failed"));
  EXPECT_EQ(hooks.outcome("front-end")->text, "on_hold: killed at its time limit");
}

}  // namespace
}  // namespace sluice::agent
