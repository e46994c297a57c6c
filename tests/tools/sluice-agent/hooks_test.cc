#include "tools/sluice-agent/hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tools/sluice-agent/folder.h"
#include "tests/tools/sluice-agent/loop.h"

namespace sluice::agent {
namespace {

struct HooksOfOneService : testing::Test {
  TestFolder folder;
  TestLoop loop;
  HostState state;
  int changes = 0;
  config::AgentService service;

  HooksOfOneService() {
    service.name = "front-end";
    service.on_hold.command = {"sh", "-c", "echo hold >> " + folder.file("log")};
    service.on_resume.command = {"sh", "-c", "echo resume >> " + folder.file("log")};
  }
  Hooks make() {
    return Hooks(loop.get(), {service}, state, [this] { ++changes; });
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
  EXPECT_EQ(hooks.outcome("front-end")->state, "failed") << "not repeated";
}

TEST_F(HooksOfOneService, ThatFailSayWhyAndAreNotRepeated) {
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

}  // namespace
}  // namespace sluice::agent
