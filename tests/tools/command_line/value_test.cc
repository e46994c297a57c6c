#include "tools/command_line/value.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::command_line {
namespace {

using testing::ElementsAre;

struct ValueOf : testing::Test {
  std::string text;
  bool flag = false;
  unsigned number = 0;
  CLI::App app;
};

TEST_F(ValueOf, WordsAreInTheOrderThatHelpShows) {
  auto* option = app.add_option("--for", text)
                     ->check(CLI::IsMember({"drained", "accepting"}))
                     ->option_text("drained|accepting");
  EXPECT_EQ(value_of(*option).kind, ValueKind::Words);
  EXPECT_THAT(value_of(*option).words, ElementsAre("drained", "accepting"));
}

TEST_F(ValueOf, WordsComeFromTheCheckWhereHelpShowsNone) {
  auto* option = app.add_option("--startup", text)->check(CLI::IsMember({"manual", "automatic"}));
  EXPECT_THAT(value_of(*option).words, ElementsAre("manual", "automatic"));
}

TEST_F(ValueOf, IsCalledWhatItIs) {
  EXPECT_EQ(value_of(*app.add_option("--config", text)).shown, "FILE");
  EXPECT_EQ(value_of(*app.add_option("--config2", text)->type_name("PATH")).kind, ValueKind::File);
  EXPECT_EQ(value_of(*app.add_option("service", text)).shown, "SERVICE");
  EXPECT_EQ(value_of(*app.add_option("--limit", number)).shown, "LIMIT");
  EXPECT_EQ(value_of(*app.add_option("--n", number)->option_text("N")).shown, "N");
}

TEST_F(ValueOf, ANameIsAnOwnerNameOnlyAsAnArgument) {
  EXPECT_EQ(value_of(*app.add_option("NAME", text)).kind, ValueKind::OwnerName);
  EXPECT_EQ(value_of(*app.add_option("--name", text)->type_name("NAME")).kind, ValueKind::Other);
}

TEST_F(ValueOf, AResponderIsOfTheCluster) {
  EXPECT_EQ(value_of(*app.add_option("RESPONDER", text)).kind, ValueKind::Responder);
}

TEST_F(ValueOf, FlagsTakeOneOnlyWhenHelpSaysSo) {
  EXPECT_FALSE(takes_value(*app.add_flag("--json", flag)));
  auto* wait = app.add_flag("--wait", text)->option_text("[DURATION]");
  EXPECT_TRUE(takes_value(*wait));
  EXPECT_TRUE(value_of(*wait).optional);
  EXPECT_EQ(value_of(*wait).shown, "DURATION");
}

}  // namespace
}  // namespace sluice::command_line
