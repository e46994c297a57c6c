#include "tools/pages/mdoc.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::pages {
namespace {

using testing::HasSubstr;
using testing::Not;

class Mdoc : public testing::Test {
 protected:
  Mdoc() {
    program.add_option("--config", file, "the file")->capture_default_str();
    CLI::App* drain = program.add_subcommand("drain", "place a hold");
    drain->add_option("SERVER", file, "its name")->required();
    drain->add_option("SERVICE", file);
    drain->add_option("--then", file, "lift it, or alarm")
        ->check(CLI::IsMember({"lift", "alarm"}))
        ->option_text("lift|alarm");
    drain->add_flag("--wait", file, "until it is safe")->option_text("[DURATION]");
    drain->add_flag("--secret", flag)->group("");
    CLI::App* schedule = program.add_subcommand("schedule", "what is planned");
    schedule->add_subcommand("list", "all")->alias("ls");
    schedule->require_subcommand(1);
    program.add_subcommand("cluster", "who is there")->add_subcommand("forget", "one of them");
    program.add_subcommand("resume", "lift it")->add_option("SERVER", file, "its name");
  }

  std::string file = "/etc/x.yaml";
  bool flag = false;
  CLI::App program{"what it does", "prog"};
};

TEST_F(Mdoc, SynopsisHasOptionsAndCommand) {
  EXPECT_EQ(synopsis(program),
            ".Nm\n"
            ".Op Fl -config Ar FILE\n"
            ".Ar COMMAND\n.Op Ar argument ...\n");
}

TEST_F(Mdoc, OptionsHaveTheirHelpAndDefault) {
  EXPECT_THAT(option_list(program), HasSubstr(".It Fl -config Ar FILE\n"
                                              "The file.\nThe default is\n.Pa /etc/x.yaml .\n"));
}

TEST_F(Mdoc, CommandsHaveArgumentsAsTheyMayBeTyped) {
  EXPECT_THAT(command_list(program), HasSubstr(".It Xo\n.Cm drain\n.Ar SERVER\n.Op Ar SERVICE\n"
                                               ".Op Fl -then Cm lift | alarm\n"
                                               ".Op Fl -wait Op Ar DURATION\n.Xc\n"
                                               "Place a hold.\n"));
}

TEST_F(Mdoc, CommandsOfCommandsStandByThemselves) {
  EXPECT_THAT(command_list(program), HasSubstr(".It Cm schedule list\nAll.\n"));
}

TEST_F(Mdoc, ACommandThatMayStandAloneIsThereBesideThoseBelowIt) {
  EXPECT_THAT(command_list(program), HasSubstr(".It Cm cluster\nWho is there.\n"
                                               ".It Cm cluster forget\nOne of them.\n"));
  EXPECT_THAT(command_list(program), Not(HasSubstr(".It Cm schedule\n")));
}

TEST_F(Mdoc, WhatIsHiddenStaysSo) {
  EXPECT_THAT(command_list(program), Not(HasSubstr("secret")));
}

TEST_F(Mdoc, AnArgumentIsExplainedOnce) {
  const std::string list = command_list(program);
  EXPECT_EQ(list.find("its name"), list.rfind("its name"));
}

TEST(MdocText, EscapesWhatTroffWouldRead) {
  EXPECT_EQ(escaped(".Sh a\\b"), "\\&.Sh a\\eb");
  EXPECT_EQ(escaped("one\n'two"), "one\n\\&'two");
  EXPECT_EQ(escaped("One. Two"), "One.\nTwo");
}

TEST(MdocText, MakesSentences) {
  EXPECT_EQ(sentence("lift the hold"), "Lift the hold.");
  EXPECT_EQ(sentence("is it safe?"), "Is it safe?");
}

}  // namespace
}  // namespace sluice::pages
