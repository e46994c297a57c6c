#include "tools/sluice-agent/token.h"

#include <gtest/gtest.h>

#include "tests/tools/sluice-agent/folder.h"

namespace sluice::agent {
namespace {

TEST(Token, IsWhatTheFileHoldsWithoutBlanksAtItsEnd) {
  const TestFolder folder;
  for (const char* text : {"fe01-token", "fe01-token\n", "fe01-token \r\n\n"}) {
    const auto token = read_token(folder.write("token", text));
    ASSERT_TRUE(token);
    EXPECT_EQ(*token, "fe01-token");
  }
  EXPECT_EQ(read_token(folder.write("token", std::string(4096, 't') + "\n"))->size(), 4096U);
}

TEST(Token, NeverBreaksOutOfItsHeaderLine) {
  const TestFolder folder;
  for (const std::string& text :
       {std::string("a\nX-Evil: 1"), std::string("a b"), std::string("a\0b", 3),
        std::string("\xc3\xbc"), std::string(), std::string("\n"), std::string(5000, 't')}) {
    EXPECT_FALSE(read_token(folder.write("token", text))) << text;
  }
}

TEST(Token, OfAFileThatCannotBeReadIsAnErrorThatNamesIt) {
  const TestFolder folder;
  const auto token = read_token(folder.file("none"));
  ASSERT_FALSE(token);
  EXPECT_EQ(token.error().message, folder.file("none") + ": No such file or directory");
}

}  // namespace
}  // namespace sluice::agent
