#include "config/names.h"

#include "gtest/gtest.h"

namespace sluice::config {
namespace {

TEST(DnsName, IsLoweredWithoutFinalDot) {
  EXPECT_EQ(*check_dns_name("Pool01.Contoso.EXAMPLE."), "pool01.contoso.example");
  EXPECT_EQ(*check_dns_name("_dmarc.a-b.0"), "_dmarc.a-b.0");
  EXPECT_EQ(*check_dns_name("org"), "org");
}

TEST(DnsName, HasLabelsOf63OctetsAndIs253Long) {  // RFC 1035 section 2.3.4
  const std::string label(63, 'a');
  EXPECT_TRUE(check_dns_name(label));
  EXPECT_FALSE(check_dns_name(label + 'a'));
  const std::string longest = label + '.' + label + '.' + label + '.' + std::string(61, 'b');
  ASSERT_EQ(longest.size(), 253U);
  EXPECT_TRUE(check_dns_name(longest));
  EXPECT_TRUE(check_dns_name(longest + '.'));
  EXPECT_FALSE(check_dns_name(longest + 'b'));
}

TEST(DnsName, IsNothingElse) {
  for (const char* text : {"",         ".",         "..",          "a..b", ".a",  "a..", "-a",
                           "a-",       "a.-b.c",    "a b",         "a/b",  "*",   "*.a", "a\\.b",
                           "\xc3\xa9", "192.0.2.1", "2001:db8::1", "a:53", "a@b", "a,b", "a\tb"}) {
    EXPECT_FALSE(check_dns_name(text)) << text;
  }
}

TEST(ServerName, HasTwoLabelsAtLeast) {
  EXPECT_TRUE(check_server_name("a.b"));
  EXPECT_FALSE(check_server_name("a"));
  EXPECT_FALSE(check_server_name("a."));
}

TEST(RelativeName, HasNoFinalDot) {
  EXPECT_EQ(*check_relative_name("Call-Park"), "call-park");
  EXPECT_EQ(*check_relative_name("a.b"), "a.b");
  EXPECT_FALSE(check_relative_name("a."));
  EXPECT_FALSE(check_relative_name("@"));
}

TEST(SrvName, IsServiceAndProtocol) {  // RFC 2782
  EXPECT_EQ(*check_srv_name("_sip._TCP"), "_sip._tcp");
  for (const char* text : {"_sip", "_sip.tcp", "sip._tcp", "_sip._tcp.", "_sip._tcp.x", "_._tcp",
                           "_sip._", "._tcp", "_sip.", ""}) {
    EXPECT_FALSE(check_srv_name(text)) << text;
  }
}

TEST(Label, IsOneWord) {
  EXPECT_EQ(*check_label("Front-End"), "front-end");
  for (const char* text : {"", "a.b", "a.", "a b", "-a", "a-", "a/b"}) {
    EXPECT_FALSE(check_label(text)) << text;
  }
}

TEST(TokenName, KeepsItsCase) {
  EXPECT_EQ(*check_token_name("Ops@example.org"), "Ops@example.org");
  EXPECT_FALSE(check_token_name(""));
  EXPECT_FALSE(check_token_name("a b"));
  EXPECT_FALSE(check_token_name(std::string(65, 'a')));
}

TEST(CheckDomain, TakesOneWordInLowerCase) {
  EXPECT_EQ(*check_domain("rack-a"), "rack-a");
  EXPECT_EQ(*check_domain("Hall_2.Rack-7"), "hall_2.rack-7");
  EXPECT_EQ(*check_domain("7"), "7");
  EXPECT_TRUE(check_domain(std::string(63, 'a')));
  for (const std::string& text : {std::string(), std::string("rack a"), std::string("rack/a"),
                                  std::string("\xc3\xa4"), std::string(64, 'a')}) {
    EXPECT_FALSE(check_domain(text)) << text;
  }
}

TEST(NameTable, NumbersNamesInTheOrderOfTaking) {
  NameTable table;
  EXPECT_FALSE(table.number("a"));
  EXPECT_EQ(table.claim("a", {1, "pool", nullptr}), 0U);
  EXPECT_EQ(table.claim("b", {2, "server", nullptr}), 1U);
  EXPECT_FALSE(table.claim("a", {3, "server", nullptr}));
  EXPECT_EQ(table.number("b"), 1U);
  ASSERT_NE(table.find("a"), nullptr);
  EXPECT_EQ(table.find("a")->line, 1);
  EXPECT_EQ(table.find("c"), nullptr);
}

TEST(NameTable, FindsEachOfVeryMany) {
  NameTable table;
  const auto name = [](int number) { return "fe" + std::to_string(number) + ".example"; };
  for (int number = 0; number < 10'000; ++number) {
    ASSERT_TRUE(table.claim(name(number), {number, "server", nullptr}));
  }
  for (int number = 0; number < 10'000; ++number) {
    ASSERT_NE(table.find(name(number)), nullptr);
    EXPECT_EQ(table.find(name(number))->line, number);
  }
  EXPECT_EQ(table.find(name(10'000)), nullptr);
  EXPECT_EQ(table.size(), 10'000U);
}

TEST(NameTable, SaysWhoHasAName) {
  NameTable table;
  const std::string file = "pools.zone";
  table.claim("a", {7, "server", nullptr});
  table.claim("b", {8, "pool", &file});
  EXPECT_EQ(table.clash("a"), "a is already the name of the server in line 7");
  EXPECT_EQ(table.clash("b"), "b is already the name of the pool in line 8 of pools.zone");
}

}  // namespace
}  // namespace sluice::config
