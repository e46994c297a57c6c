#include "health/api/auth.h"

#include <array>
#include <memory>
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
  return identify(request, Peer{false, "192.0.2.1@4000", ""}, tokens, {});
}

constexpr base::WallTime kEnd{std::chrono::hours(1)};

base::Result<Identity, AuthFailure> identify_holder_of(const std::vector<std::string>& names,
                                                       base::WallTime now = {},
                                                       const std::string& authorization = {}) {
  HttpRequest request;
  if (!authorization.empty()) request.fields = {{"authorization", authorization}};
  base::CertificateHolder holder{{}, kEnd};
  for (const std::string& name : names) holder.names.push_back(base::subject_name(name));
  const Tokens tokens({{"operations", Role::Operator, "", kOperations},
                       {"host", Role::Agent, "a.example", {}, base::subject_name("a.example")},
                       {"mail", Role::Reader, "", {}, base::subject_name("x@a.example")},
                       {"uri", Role::Operator, "", {}, base::subject_name("spiffe://a/x")}});
  Peer peer{false, "192.0.2.1@4000", ""};
  peer.certificate = std::make_shared<const base::CertificateHolder>(holder);
  return identify(request, peer, tokens, now);
}

std::array<std::uint8_t, 32> numbered_hash(std::size_t number) {
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
    tokens.push_back({"agent" + std::to_string(i), Role::Agent, "", numbered_hash(i)});
  }
  const Tokens known(tokens);
  for (const config::Token& token : tokens) {
    const config::Token* found = known.find(token.sha256);
    ASSERT_NE(found, nullptr) << token.name;
    EXPECT_EQ(found->name, token.name);
  }
  EXPECT_EQ(known.find(numbered_hash(1'000)), nullptr);
}

TEST(Tokens, WithoutAHashAreNeverFound) {
  const Tokens known({{"by-certificate", Role::Agent, "", {}}, {"another", Role::Agent, "", {}}});
  EXPECT_EQ(known.find(std::array<std::uint8_t, 32>{}), nullptr);
  EXPECT_EQ(Tokens({}).find(kOperations), nullptr);
}

TEST(Tokens, FollowWhoWasLetInByOneOfThem) {
  config::Token token{"ops", Role::Operator, "", kOperations};
  token.pools = {"p.example"};
  const Identity who{"ops", Role::Operator, "", "192.0.2.1@4000", kOperations};
  const auto current = [&](config::Token configured) -> std::optional<config::Token> {
    const Tokens tokens({{"other", Role::Reader, "", numbered_hash(1)}, std::move(configured)});
    const config::Token* found = tokens.current(who);
    if (found == nullptr) return {};
    return *found;
  };
  EXPECT_EQ(current(token)->pools, token.pools);
  const auto changed = [&](auto change) {
    config::Token other = token;
    change(other);
    return current(other);
  };
  EXPECT_EQ(changed([](config::Token& t) { t.pools = {"q.example"}; })->pools,
            std::vector<std::string>{"q.example"});
  EXPECT_FALSE(changed([](config::Token& t) { t.name = "day"; }));
  EXPECT_FALSE(changed([](config::Token& t) { t.sha256 = numbered_hash(2); })) << "made anew";
  EXPECT_FALSE(changed([](config::Token& t) { t.role = Role::Reader; }));
  EXPECT_FALSE(changed([](config::Token& t) { t.server = "a.p.example"; }));
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
  const auto identity = identify(request, Peer{true, "unix", "root"}, Tokens({}), {});
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->by, "root");
  EXPECT_EQ(identity->role, Role::Operator);
}

TEST(Identify, KnowsACertificateByOneOfItsNames) {
  const auto host = identify_holder_of({"other.example", "A.Example."});
  ASSERT_TRUE(host);
  EXPECT_EQ(host->by, "host");
  EXPECT_EQ(host->role, Role::Agent);
  EXPECT_EQ(host->server, "a.example");
  EXPECT_EQ(identify_holder_of({"x@a.example"})->by, "mail");
  EXPECT_EQ(identify_holder_of({"spiffe://a/x"})->by, "uri");
  EXPECT_EQ(identify_holder_of({"a.example", "a.example"})->by, "host");
}

TEST(Identify, KnowsNoCertificateThatIsNobodys) {
  EXPECT_EQ(identify_holder_of({}).error(), AuthFailure::CertificateUnlisted);
  EXPECT_EQ(identify_holder_of({"b.a.example", "X@a.example", "spiffe://a/X"}).error(),
            AuthFailure::CertificateUnlisted);
  EXPECT_EQ(identify_holder_of({"a.example", "x@a.example"}).error(),
            AuthFailure::CertificateAmbiguous);
}

TEST(Identify, TakesNoNameOfOneKindForAnother) {
  base::CertificateHolder holder{{{base::SubjectName::Kind::Email, "a.example"},
                                  {base::SubjectName::Kind::Dns, "spiffe://a/x"},
                                  {base::SubjectName::Kind::Uri, "x@a.example"}},
                                 kEnd};
  const Tokens tokens({{"host", Role::Agent, "a.example", {}, base::subject_name("a.example")},
                       {"mail", Role::Reader, "", {}, base::subject_name("x@a.example")},
                       {"uri", Role::Operator, "", {}, base::subject_name("spiffe://a/x")}});
  EXPECT_EQ(tokens.find(holder.names).error(), AuthFailure::CertificateUnlisted);
}

TEST(Identify, LooksAtTheEndOfACertificate) {
  EXPECT_TRUE(identify_holder_of({"a.example"}, kEnd - std::chrono::milliseconds(1)));
  EXPECT_EQ(identify_holder_of({"a.example"}, kEnd).error(), AuthFailure::CertificateExpired);
}

TEST(Identify, TakesATokenBeforeTheCertificate) {
  EXPECT_EQ(identify_holder_of({"a.example"}, {}, "Bearer operations-token")->by, "operations");
  EXPECT_EQ(identify_holder_of({"a.example"}, {}, "Bearer wrong").error(), AuthFailure::Unknown);
  EXPECT_TRUE(identify_holder_of({"a.example"}, kEnd, "Bearer operations-token"));
}

TEST(Allowed, OperatorIncludesReaderButNotAgent) {
  EXPECT_TRUE(allowed(Access::Reader, Role::Operator, true));
  EXPECT_TRUE(allowed(Access::Operator, Role::Operator, true));
  EXPECT_FALSE(allowed(Access::OperatorOfAll, Role::Operator, true));
  EXPECT_TRUE(allowed(Access::OperatorOfAll, Role::Operator, false));
  EXPECT_FALSE(allowed(Access::OperatorOfAll, Role::Reader, false));
  EXPECT_FALSE(allowed(Access::OperatorOfAll, Role::Agent, false));
  EXPECT_TRUE(allowed(Access::Reader, Role::Operator, false));
  EXPECT_TRUE(allowed(Access::Operator, Role::Operator, false));
  EXPECT_FALSE(allowed(Access::Agent, Role::Operator, false));
  EXPECT_FALSE(allowed(Access::Operator, Role::Reader, false));
  EXPECT_FALSE(allowed(Access::Reader, Role::Agent, false));
  EXPECT_TRUE(allowed(Access::ReaderOrAgent, Role::Agent, false));
  EXPECT_TRUE(allowed(Access::Agent, Role::Agent, false));
}

}  // namespace
}  // namespace sluice::health
