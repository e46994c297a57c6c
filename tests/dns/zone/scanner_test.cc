#include "dns/zone/scanner.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sluice::dns {
namespace {

// Each entry as "line:tokens", with a "_" in front when its owner is blank; a mistake as "line!".
std::vector<std::string> scan(std::string_view text) {
  MasterFileScanner scanner(text);
  std::vector<std::string> entries;
  for (;;) {
    const auto next = scanner.next();
    if (!next) {
      entries.push_back(std::to_string(next.error().line) + "!");
      continue;
    }
    if (!*next) return entries;
    std::string entry = std::to_string((**next).line) + ":";
    if ((**next).blank_owner) entry += "_";
    for (const std::string_view token : (**next).tokens) entry += std::string(token) + "|";
    entries.push_back(entry);
  }
}

using Entries = std::vector<std::string>;

TEST(MasterFileScanner, CutsLinesIntoTokens) {
  EXPECT_EQ(scan("a A 1\n\tB  2 ; rest\n"), (Entries{"1:a|A|1|", "2:_B|2|"}));
  EXPECT_EQ(scan("a A 1"), (Entries{"1:a|A|1|"})) << "without a newline at the end";
  EXPECT_EQ(scan("a A 1\r\nb\r\n"), (Entries{"1:a|A|1|", "2:b|"}));
  EXPECT_EQ(scan(""), Entries());
  EXPECT_EQ(scan("\n ; only a comment\n\n"), Entries());
}

TEST(MasterFileScanner, JoinsLinesBetweenParentheses) {
  EXPECT_EQ(scan("\n@ SOA a ( ; one\n 1\n2) 3\nb"), (Entries{"2:@|SOA|a|1|2|3|", "5:b|"}));
  EXPECT_EQ(scan("a(b)c\n"), (Entries{"1:a|b|c|"}));
}

TEST(MasterFileScanner, KeepsQuotesAndEscapes) {
  EXPECT_EQ(scan("a TXT \"x; (y)\" z\\;\\ w\\\"\n"), (Entries{"1:a|TXT|\"x; (y)\"|z\\;\\ w\\\"|"}));
}

TEST(MasterFileScanner, GoesOnBehindAMistake) {
  EXPECT_EQ(scan("a \"open\nb )\nc (\nd"), (Entries{"1!", "2!", "3!"}));
  EXPECT_EQ(scan("a )\nb"), (Entries{"1!", "2:b|"}));
}

TEST(MasterFileScanner, EndsWithinAnything) {
  const std::string text = "a ( \"b\\\\\" ; c\n ) \\";
  for (std::size_t size = 0; size <= text.size(); ++size)
    scan(std::string_view(text).substr(0, size));
}

}  // namespace
}  // namespace sluice::dns
