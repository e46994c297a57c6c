#include "health/strict_json.h"

#include <gtest/gtest.h>

namespace sluice::health {
namespace {

std::string mistake(std::string_view octets) {
  const auto value = parse_json(octets);
  return value ? "none" : value.error().path + ": " + value.error().message;
}

TEST(ParseJson, ReadsAllKindsOfValues) {
  const auto value = parse_json(R"( {"a": [1, -2, 2.5, true, null, "x\u00e9"], "b": {}} )");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->dump(), R"({"a":[1,-2,2.5,true,null,"xé"],"b":{}})");
}

TEST(ParseJson, RefusesAMemberThatIsGivenTwice) {
  EXPECT_EQ(mistake(R"({"a": {"b": 1, "c": 2, "b": 1}})"), "a.b: must not be given twice");
  EXPECT_EQ(mistake(R"({"a": 1, "\u0061": 2})"), "a: must not be given twice");
  EXPECT_EQ(mistake(R"([{"a": 1}, {"a": 1, "a": 1}])"), "[1].a: must not be given twice");
}

TEST(ParseJson, NamesTheOctetOfASyntaxError) {
  EXPECT_EQ(mistake("{\"a\": 1,}"), ": must be JSON, is not from octet 9 on");
  EXPECT_EQ(mistake("{} {}"), ": must be JSON, is not from octet 4 on");
  EXPECT_NE(mistake(""), "none");
  EXPECT_NE(mistake("NaN"), "none");
  EXPECT_NE(mistake("1e999"), "none");
  EXPECT_NE(mistake("\"\xff\""), "none") << "not UTF-8";
  EXPECT_NE(mistake("\"\xed\xa0\x80\""), "none") << "a surrogate in UTF-8";
  EXPECT_NE(mistake(R"("\ud800")"), "none") << "half of a surrogate pair";
  EXPECT_NE(mistake(std::string_view("{}\0", 3)), "none");
}

TEST(ParseJson, BoundsTheDepth) {
  const std::string deepest = std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']');
  EXPECT_EQ(mistake(deepest), "none");
  EXPECT_NE(mistake("[" + deepest + "]"), "none");
  EXPECT_NE(mistake(std::string(1'000'000, '[')), "none");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += R"({"a":)";
  EXPECT_NE(mistake(objects), "none");
}

TEST(ParseJson, BoundsTexts) {
  const std::string longest(kMaxJsonText, 'x');
  EXPECT_EQ(mistake("{\"a\": \"" + longest + "\"}"), "none");
  EXPECT_EQ(mistake("{\"a\": \"" + longest + "x\"}"), "a: must not be longer than 1024 octets");
  EXPECT_EQ(mistake("{\"" + longest + "\": 1}"), "none");
  EXPECT_NE(mistake("{\"" + longest + "x\": 1}"), "none");
}

TEST(JsonReader, ReportsTheFirstMistakeWithItsPath) {
  const nlohmann::json value{{"text", 5}, {"flag", "yes"}};
  JsonReader reader(value, "outer");
  EXPECT_FALSE(reader.text("text"));
  EXPECT_FALSE(reader.flag("flag"));
  const auto error = reader.finish();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->path, "outer.text");
  EXPECT_EQ(error->message, "must be a text");
}

TEST(JsonReader, RefusesMembersThatNobodyAskedFor) {
  const nlohmann::json value{{"a", "x"}, {"tpyo", true}};
  JsonReader reader(value, "");
  EXPECT_EQ(reader.text("a"), "x");
  const auto error = reader.finish();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->path, "tpyo");
  EXPECT_EQ(error->message, "is not known");
}

TEST(JsonReader, TakesNullForAbsent) {
  const nlohmann::json value{{"a", nullptr}};
  JsonReader reader(value, "");
  EXPECT_FALSE(reader.text("a"));
  EXPECT_FALSE(reader.finish());
  JsonReader strict(value, "");
  strict.required_text("a");
  EXPECT_EQ(strict.finish()->message, "must be given");
}

TEST(JsonReader, WantsAnObject) {
  const nlohmann::json value = nlohmann::json::array();
  JsonReader reader(value, "a");
  EXPECT_FALSE(reader.text("x"));
  EXPECT_EQ(reader.finish()->message, "must be an object");
}

}  // namespace
}  // namespace sluice::health
