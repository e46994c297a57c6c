#include "dns/zone/presentation.h"

#include <gtest/gtest.h>

namespace sluice::dns {
namespace {

TEST(ParseTtl, AddsItsParts) {
  EXPECT_EQ(parse_ttl("0"), 0U);
  EXPECT_EQ(parse_ttl("300"), 300U);
  EXPECT_EQ(parse_ttl("1h30m"), 5'400U);
  EXPECT_EQ(parse_ttl("1W2d3H4M5s"), 604'800U + 172'800 + 10'800 + 240 + 5);
  for (const char* none : {"", "h", "1x", "A", "1h x", "-1", "+1", "1.5"}) {
    EXPECT_EQ(parse_ttl(none), std::nullopt) << none;
  }
}

TEST(IsClass, KnowsNamesAndNumbers) {  // RFC 3597 section 5
  for (const char* word : {"IN", "in", "CH", "hs", "CLASS1", "class65535"}) {
    EXPECT_TRUE(is_class(word)) << word;
  }
  for (const char* word : {"", "A", "CLASS", "CLASSA", "INN"}) EXPECT_FALSE(is_class(word)) << word;
}

TEST(ParseName, TakesEscapesAndTheOrigin) {  // RFC 1035 section 5.1
  const Name origin = *Name::parse("example.org");
  const auto text = [&](std::string_view word) {
    const auto name = parse_name(word, origin);
    return name ? name->to_string() : "none";
  };
  EXPECT_EQ(text("@"), "example.org");
  EXPECT_EQ(text("\\@"), "@.example.org");
  EXPECT_EQ(text("WWW"), "www.example.org");
  EXPECT_EQ(text("www."), "www");
  EXPECT_EQ(text("."), ".");
  EXPECT_EQ(text("a\\.b"), "a\\.b.example.org");
  EXPECT_EQ(text("a\\."), "a\\..example.org") << "an escaped dot does not end a name";
  EXPECT_EQ(text("a\\000b"), "a\\000b.example.org");
  EXPECT_EQ(text("\\\"q\\\""), "\"q\".example.org");
  for (const char* wrong : {"a..b", ".a", "\"a\"", "\\256", "\\25"}) {
    EXPECT_EQ(text(wrong), "none") << wrong;
  }
  EXPECT_EQ(text(std::string_view("a\0b", 3)), "none");
  EXPECT_EQ(text(std::string(64, 'a')), "none") << "RFC 1035 section 2.3.4";
}

TEST(ParseName, BoundsTheWholeName) {  // RFC 1035 section 2.3.4
  const std::string label(49, 'a');
  std::string longest;
  for (int count = 0; count < 5; ++count) longest += label + '.';  // 250 octets
  EXPECT_TRUE(parse_name(longest + "abc.", Name()));               // 255 with the root
  EXPECT_FALSE(parse_name(longest + "abcd.", Name()));
  EXPECT_FALSE(parse_name(longest + "abc", *Name::parse("o")));
}

TEST(Unquoted, ResolvesQuotesAndEscapes) {
  EXPECT_EQ(unquoted("a/b.zone"), "a/b.zone");
  EXPECT_EQ(unquoted("\"a b\""), "a b");
  EXPECT_EQ(unquoted("\"a\\\"b\""), "a\"b");
  EXPECT_EQ(unquoted("a\\059b"), "a;b");
  EXPECT_EQ(unquoted("\"\""), "");
  for (const char* wrong : {"a\"b\"", "\"", "a\\", "\\256", "\\1"}) {
    EXPECT_EQ(unquoted(wrong), std::nullopt) << wrong;
  }
}

TEST(Shown, CutsAndEscapes) {
  EXPECT_EQ(shown("a\nb\xff"), "a\\010b\\255");
  EXPECT_EQ(shown(std::string(1'000, 'x')), std::string(60, 'x') + "...");
}

}  // namespace
}  // namespace sluice::dns
