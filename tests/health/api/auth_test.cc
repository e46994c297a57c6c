#include "health/api/auth.h"

#include <array>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using config::Role;

// SHA-256 of "operations-token", as the example configuration has it.
constexpr std::array<std::uint8_t, 32> kOperations{
    0x0b, 0xab, 0x54, 0x50, 0xae, 0x8b, 0x03, 0x54, 0x7e, 0xb2, 0xeb, 0xff, 0x2a, 0x55, 0x0a, 0xde,
    0xeb, 0x66, 0x74, 0x3f, 0xb3, 0x4e, 0x0e, 0xac, 0x1e, 0xff, 0x8e, 0xa1, 0xed, 0xac, 0x73, 0xca};

base::Result<Identity, AuthFailure> identify_by(const std::string& authorization) {
  HttpRequest request;
  if (!authorization.empty()) request.fields = {{"authorization", authorization}};
  const Tokens tokens({{"first", Role::Reader, "", {}},
                       {"operations", Role::Operator, "", kOperations},
                       {"last", Role::Reader, "", {}}});
  return identify(request, Peer{false, "192.0.2.1@4000", ""}, tokens);
}

std::array<std::uint8_t, 32> numbered(std::size_t number) {
  std::array<std::uint8_t, 32> hash{};
  // Alike in the octets that the index looks at first, but for those that come in pairs.
  hash[0] = static_cast<std::uint8_t>(number / 2);
  hash[30] = static_cast<std::uint8_t>(number >> 8);
  hash[31] = static_cast<std::uint8_t>(number + 1);
  return hash;
}

TEST(Tokens, AreEachFoundAmongManyWhoseHashesBeginAlike) {
  std::vector<config::Token> tokens;
  for (std::size_t i = 0; i < 1'000; ++i) {
    tokens.push_back({"agent" + std::to_string(i), Role::Agent, "", numbered(i)});
  }
  const Tokens known(tokens);
  for (const config::Token& token : tokens) {
    const config::Token* found = known.find(token.sha256);
    ASSERT_NE(found, nullptr) << token.name;
    EXPECT_EQ(found->name, token.name);
  }
  EXPECT_EQ(known.find(numbered(1'000)), nullptr);
}

TEST(Tokens, WithoutAHashAreNeverFound) {
  const Tokens known({{"by-certificate", Role::Agent, "", {}}, {"another", Role::Agent, "", {}}});
  EXPECT_EQ(known.find({}), nullptr);
  EXPECT_EQ(Tokens({}).find(kOperations), nullptr);
}

TEST(Identify, KnowsATokenByItsHash) {
  const auto identity = identify_by("Bearer operations-token");
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->by, "operations");
  EXPECT_EQ(identity->role, Role::Operator);
  EXPECT_EQ(identity->origin, "192.0.2.1@4000");
}

TEST(Identify, TellsWhatIsWrong) {
  EXPECT_EQ(identify_by("").error(), AuthFailure::Missing);
  EXPECT_EQ(identify_by("Bearer operations-toke").error(), AuthFailure::Unknown);
  EXPECT_EQ(identify_by("Bearer OPERATIONS-TOKEN").error(), AuthFailure::Unknown);
  EXPECT_EQ(identify_by("Bearer ").error(), AuthFailure::Malformed);
  EXPECT_EQ(identify_by("Bearer  operations-token").error(), AuthFailure::Malformed);
  EXPECT_EQ(identify_by("Basic b3BlcmF0aW9ucw==").error(), AuthFailure::Malformed);
}

TEST(Identify, TakesAUserOfTheSocketForAnOperatorWhateverTheToken) {
  HttpRequest request;
  request.fields = {{"authorization", "Bearer nonsense"}};
  const auto identity = identify(request, Peer{true, "unix", "root"}, Tokens({}));
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->by, "root");
  EXPECT_EQ(identity->role, Role::Operator);
}

TEST(Allowed, OperatorIncludesReaderButNotAgent) {
  EXPECT_TRUE(allowed(Access::Reader, Role::Operator));
  EXPECT_TRUE(allowed(Access::Operator, Role::Operator));
  EXPECT_FALSE(allowed(Access::Agent, Role::Operator));
  EXPECT_FALSE(allowed(Access::Operator, Role::Reader));
  EXPECT_FALSE(allowed(Access::Reader, Role::Agent));
  EXPECT_TRUE(allowed(Access::ReaderOrAgent, Role::Agent));
  EXPECT_TRUE(allowed(Access::Agent, Role::Agent));
}

}  // namespace
}  // namespace sluice::health
