#include "config/mapping.h"

#include <functional>

#include "gtest/gtest.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

// What reading `text` as a mapping says.
std::string told(std::string_view text, const std::function<void(Mapping&)>& read) {
  const auto document = Document::parse(text, "t.yaml");
  EXPECT_TRUE(document) << base::to_string(document.error());
  Findings findings("t.yaml");
  const Value root(*document, findings);
  {
    Mapping mapping(root);
    read(mapping);
  }
  return base::to_string(findings.take());
}

std::string told_of(std::string_view text, const std::function<void(const Value&)>& read) {
  return told("a: " + std::string(text), [&](Mapping& mapping) { read(*mapping.find("a")); });
}

TEST(Mapping, LeavesTheDefaultOfAKeyThatIsNotThere) {
  unsigned number = 7;
  base::Duration duration = 3s;
  bool flag = true;
  EXPECT_EQ(told("x: 1",
                 [&](Mapping& mapping) {
                   mapping.read("a", number, 0, 9);
                   mapping.read("b", duration, 0s, 9s);
                   mapping.read("c", flag);
                   mapping.find("x");
                 }),
            "");
  EXPECT_EQ(number, 7U);
  EXPECT_EQ(duration, 3s);
  EXPECT_TRUE(flag);
}

TEST(Mapping, LeavesTheDefaultOfAValueThatIsWrong) {
  std::uint8_t number = 7;
  EXPECT_EQ(told("a: 256", [&](Mapping& mapping) { mapping.read("a", number, 0, 255); }),
            "t.yaml:1: a: must be 0..255, is 256");
  EXPECT_EQ(number, 7);
}

TEST(Mapping, ProposesTheNearestKnownKey) {
  const auto read = [](Mapping& mapping) {
    for (const char* key : {"weight", "fqdn", "addresses"}) mapping.find(key);
  };
  EXPECT_EQ(told("wieght: 1", read),
            "t.yaml:1: wieght: is not a known key; did you mean \"weight\"?");
  EXPECT_EQ(told("adresse: 1", read),
            "t.yaml:1: adresse: is not a known key; did you mean \"addresses\"?");
  EXPECT_EQ(told("colour: 1", read),
            "t.yaml:1: colour: is not a known key; known here: weight, fqdn, addresses");
  EXPECT_LT(told(std::string(500, 'w') + ": 1\n", read).size(), 150U);
}

TEST(Mapping, ReadsTheFirstOfADuplicateAndTellsOfTheOthers) {
  unsigned number = 0;
  EXPECT_EQ(told("a: 1\nb: 2\na: 3\nb: 4\na: 5\n",
                 [&](Mapping& mapping) {
                   mapping.read("a", number, 0, 9);
                   mapping.find("b");
                 }),
            "t.yaml:3: a: is given twice: first in line 1\n"
            "t.yaml:4: b: is given twice: first in line 2\n"
            "t.yaml:5: a: is given twice: first in line 1");
  EXPECT_EQ(number, 1U);
}

TEST(Mapping, TellsOfAMissingKeyOnceAndNotWhereThereIsNoMapping) {
  const auto read = [](Mapping& mapping) { mapping.require("name", "what it is called"); };
  EXPECT_EQ(told("{}", read), "t.yaml:1: name: is missing: what it is called");
  EXPECT_EQ(told("[]", read), "t.yaml:1: must be a mapping (KEY: VALUE), is a list");
}

TEST(Mapping, RefusesKeysOfLaterVersionsButDoesNotProposeThem) {
  const auto read = [](Mapping& mapping) { mapping.refuse("slow_start"); };
  EXPECT_EQ(told("slow_start: 30s", read),
            "t.yaml:1: slow_start: is not supported by this version yet: leave it out");
  EXPECT_EQ(told("slow_stat: 30s", read), "t.yaml:1: slow_stat: is not a known key; known here: ");
}

TEST(Value, KnowsItsPath) {
  EXPECT_EQ(told("a: {b: [x, {c: 5}]}",
                 [](Mapping& mapping) {
                   Mapping inner(*mapping.find("a"));
                   inner.find("b")->each([](const Value& item) {
                     if (item.kind() != Document::Kind::Mapping) return;
                     Mapping innermost(item);
                     innermost.find("c")->reject("here");
                   });
                 }),
            "t.yaml:1: a.b[1].c: here");
}

TEST(Value, IsANumberOnlyWhenItLooksLikeOne) {
  const auto read = [](const Value& value) { value.number(1, 10); };
  for (const char* text : {"1", "10"}) EXPECT_EQ(told_of(text, read), "") << text;
  for (const char* text :
       {"0",   "11",  "-1",  "+1",     "01",   "1.0",  "1e1",  "0x1",
        "0o7", ".5",  "ten", "\"5\"",  "'5'",  "5s",   "1_0",  "1,0",
        "",    "~",   "[5]", "{5: 5}", ".inf", ".nan", "true", "18446744073709551617",
        "-0",  "--1", "1 0"}) {
    EXPECT_NE(told_of(text, read), "") << text;
  }
}

TEST(Value, ReadsTheWholeRangeOf64Bits) {
  const auto max = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(told_of("18446744073709551615",
                    [&](const Value& value) { EXPECT_EQ(value.number(0, max), max); }),
            "");
  EXPECT_NE(told_of("18446744073709551616", [&](const Value& value) { value.number(0, max); }), "");
}

TEST(Value, IsAFlagOnlyAsTrueOrFalse) {
  EXPECT_EQ(told_of("true", [](const Value& value) { EXPECT_EQ(value.flag(), true); }), "");
  EXPECT_EQ(told_of("false", [](const Value& value) { EXPECT_EQ(value.flag(), false); }), "");
  for (const char* text : {"yes", "no", "on", "off", "True", "1", "\"true\"", "", "[]"}) {
    EXPECT_NE(told_of(text, [](const Value& value) { value.flag(); }), "") << text;
  }
}

TEST(Value, IsAPercentageWithItsSign) {
  const auto read = [](const Value& value) { value.percentage(1, 100); };
  EXPECT_EQ(told_of("1%", read), "");
  EXPECT_EQ(told_of("\"100%\"", read), "");
  for (const char* text :
       {"50", "0%", "101%", "-1%", "050%", "5.5%", "5 %", "\"%\"", "5%%", "4294967297%", "half"}) {
    EXPECT_NE(told_of(text, read), "") << text;
  }
}

TEST(Value, IsNotTextWithANul) {
  EXPECT_EQ(told_of("\"a\\0b\"", [](const Value& value) { value.text(); }),
            "t.yaml:1: a: must be text without NUL");
}

TEST(Value, SaysWhatMayStandInAPlace) {
  const auto read = [](const Value& value) { value.word({"x", "y", "z"}, {"later"}); };
  EXPECT_EQ(told_of("y", read), "");
  EXPECT_EQ(told_of("w", read), "t.yaml:1: a: must be x, y or z, is w");
  EXPECT_EQ(told_of("[x]", read), "t.yaml:1: a: must be x, y or z, is a list");
  EXPECT_EQ(told_of("later", read),
            "t.yaml:1: a: later is not supported by this version yet; use x, y or z");
}

TEST(Printable, ShortensBetweenCharacters) {
  EXPECT_EQ(printable("abc"), "abc");
  EXPECT_EQ(printable(std::string(60, 'a')), std::string(60, 'a'));
  EXPECT_EQ(printable(std::string(61, 'a')), std::string(60, 'a') + "...");
  std::string umlauts;
  for (int i = 0; i < 40; ++i) umlauts += "\xc3\xa4";
  EXPECT_EQ(printable("x" + umlauts).size() % 2, 0U) << "cut in the middle of a character";
  EXPECT_EQ(printable("a\x1b[0m\n"), "a\\x1b[0m\\x0a");
}

}  // namespace
}  // namespace sluice::config
