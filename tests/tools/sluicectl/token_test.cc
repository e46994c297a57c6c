#include "tools/sluicectl/token.h"

#include <set>

#include "gtest/gtest.h"

namespace sluice::ctl {
namespace {

TEST(Token, Has256BitsInHexAndNoneComesTwice) {
  std::set<std::string> seen;
  for (int round = 0; round < 100; ++round) {
    const auto token = make_token();
    ASSERT_TRUE(token);
    EXPECT_EQ(token->size(), 64U);
    EXPECT_EQ(token->find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_TRUE(seen.insert(*token).second);
  }
}

// The hash that examples/sluice.yaml has for "operations-token".
TEST(Token, IsHashedAsTheConfigurationHasIt) {
  EXPECT_EQ(sha256_hex("operations-token"),
            "0bab5450ae8b03547eb2ebff2a550adeeb66743fb34e0eac1eff8ea1edac73ca");
}

TEST(Token, ALineIsAnItemOfTheConfiguration) {
  EXPECT_EQ(token_line("fe01", "agent", "fe01.example", {}, "ab"),
            "- {name: fe01, role: agent, server: fe01.example, sha256: \"ab\"}");
  EXPECT_EQ(token_line("day", "reader", "", {}, "ab"),
            "- {name: day, role: reader, sha256: \"ab\"}");
  EXPECT_EQ(token_line("night", "operator", "", {"p1.example", "p2.example"}, "ab"),
            "- {name: night, role: operator, pools: [p1.example, p2.example], sha256: \"ab\"}");
}

}  // namespace
}  // namespace sluice::ctl
