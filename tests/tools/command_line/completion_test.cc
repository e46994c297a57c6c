#include "tools/command_line/completion.h"

#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::command_line {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

class Complete : public testing::Test {
 protected:
  Complete() {
    program.add_option("--socket", text, "the socket")->type_name("PATH");
    program.add_flag("--json", flag, "documents");
    CLI::App* drain = program.add_subcommand("drain", "place a hold\nand more")->fallthrough();
    drain->alias("pause");
    drain->add_option("SERVER", text)->required();
    drain->add_option("--service", text)->type_name("SERVICE");
    drain->add_option("--then", text)
        ->check(CLI::IsMember({"lift", "alarm"}))
        ->option_text("lift|alarm");
    drain->add_flag("--wait", text)->option_text("[DURATION]");
    CLI::App* status = program.add_subcommand("status");
    status->add_option("POOL", text);
    CLI::App* schedule = program.add_subcommand("schedule")->fallthrough();
    schedule->add_subcommand("list");
    schedule->add_subcommand("cancel")->add_option("ID", text);
    program.add_subcommand("hidden")->group("");
  }

  Completion at(const std::vector<std::string>& words) { return complete(program, words); }
  std::vector<std::string> texts(const std::vector<std::string>& words) {
    std::vector<std::string> all;
    for (const Candidate& each : at(words).candidates) all.push_back(each.text);
    return all;
  }

  std::string text;
  bool flag = false;
  CLI::App program;
};

TEST_F(Complete, Commands) {
  EXPECT_THAT(texts({""}), ElementsAre("drain", "status", "schedule"));
  EXPECT_THAT(texts({"dr"}), ElementsAre("drain"));
  EXPECT_THAT(texts({"pa"}), ElementsAre("pause")) << "an alias, once it is begun";
  EXPECT_THAT(texts({"--json", "st"}), ElementsAre("status"));
  EXPECT_THAT(texts({"schedule", ""}), ElementsAre("list", "cancel"));
  EXPECT_THAT(texts({}), Not(IsEmpty()));
}

TEST_F(Complete, ShowsTheFirstLineOfHelp) {
  EXPECT_EQ(at({"dr"}).candidates.at(0).help, "place a hold");
}

TEST_F(Complete, OptionsOfTheCommandAndThoseThatMayStandBehindIt) {
  EXPECT_THAT(texts({"drain", "--s"}), ElementsAre("--service", "--socket"));
  EXPECT_THAT(texts({"status", "--s"}), IsEmpty());  // lets none fall through
  EXPECT_THAT(texts({"drain", "--json", "--"}), Not(Contains("--json")));
}

TEST_F(Complete, ValuesThatTheDeclarationLists) {
  EXPECT_THAT(texts({"drain", "fe02", "--then", ""}), ElementsAre("lift", "alarm"));
  EXPECT_THAT(texts({"drain", "--then", "a"}), ElementsAre("alarm"));
  const Completion joined = at({"drain", "--then=a"});
  EXPECT_EQ(joined.before, "--then=");
  EXPECT_EQ(joined.candidates.at(0).text, "alarm");
}

TEST_F(Complete, TellsWhatElseIsWanted) {
  EXPECT_EQ(at({"drain", "f"}).wanted, ValueKind::Server);
  EXPECT_EQ(at({"pause", "f"}).wanted, ValueKind::Server);
  EXPECT_EQ(at({"status", ""}).wanted, ValueKind::Pool);
  EXPECT_EQ(at({"drain", "--service", ""}).wanted, ValueKind::Service);
  EXPECT_EQ(at({"drain", "fe02", "--service=fr"}).wanted, ValueKind::Service);
  EXPECT_EQ(at({"--socket", "/ru"}).wanted, ValueKind::File);
  EXPECT_EQ(at({"schedule", "cancel", ""}).wanted, ValueKind::Schedule);
  EXPECT_EQ(at({"dr"}).wanted, ValueKind::Other);
}

TEST_F(Complete, RemembersWhatWasTyped) {
  const Completion completion =
      at({"--socket", "/old", "drain", "fe02", "--socket=/new", "--service", "x"});
  EXPECT_EQ(completion.typed.at("--socket"), "/new");
  EXPECT_EQ(completion.typed.at("SERVER"), "fe02");
  EXPECT_EQ(completion.begun, "x");
}

TEST_F(Complete, AValueThatMayBeLeftOutIsADurationOrNone) {
  EXPECT_EQ(at({"drain", "--wait", "15m", "f"}).wanted, ValueKind::Server);
  EXPECT_EQ(at({"drain", "--wait", "f"}).wanted, ValueKind::Server);
}

TEST_F(Complete, BehindTwoHyphensThereAreNoOptions) {
  EXPECT_EQ(at({"drain", "--", "-"}).wanted, ValueKind::Server);
  EXPECT_THAT(texts({"drain", "--", "-"}), IsEmpty());
}

TEST_F(Complete, OffersOptionsWhereNothingElseCanStand) {
  EXPECT_THAT(texts({"drain", "fe02", ""}), Contains("--service"));
  EXPECT_THAT(texts({"drain", "fe02", "x"}), IsEmpty());
}

TEST_F(Complete, SurvivesWhatMakesNoSense) {
  EXPECT_THAT(texts({"nonsense", "--none=x", "--none", "-", "a", "b", "--x="}), IsEmpty());
}

TEST(Add, TakesWhatBeginsRightOnce) {
  Completion completion;
  completion.candidates = {{"fe01"}};
  completion.begun = "fe";
  add(completion, std::vector<Candidate>{{"fe01"}, {"be01"}, {"fe02", "help"}, {"fe02"}});
  ASSERT_EQ(completion.candidates.size(), 2U);
  EXPECT_EQ(completion.candidates[1].help, "help");
}

TEST(Print, IsALineForTheScriptsEach) {
  Completion completion;
  completion.candidates = {{"lift", "it"}, {"alarm"}};
  completion.wanted = ValueKind::Words;
  completion.before = "--then=";
  std::ostringstream out;
  print(completion, out);
  completion.candidates.clear();
  completion.wanted = ValueKind::File;
  print(completion, out);
  EXPECT_EQ(out.str(), "words\n--then=lift\tit\n--then=alarm\t\nfiles\n");
}

}  // namespace
}  // namespace sluice::command_line
