#include "tools/sluicectl/api/json_reader.h"

#include "gtest/gtest.h"

namespace sluice::ctl {
namespace {

class Reading : public testing::Test {
 protected:
  JsonReader reader(const char* octets) {
    failure_.clear();
    document_ = *parse_document(octets);
    return {document_, failure_};
  }

  Json document_;
  std::string failure_;
};

TEST_F(Reading, WhatIsThereIsRead) {
  auto json = reader(R"({"t": "x", "f": true, "n": 7, "l": ["a", "b"], "c": {"z": 1, "a": 2}})");
  EXPECT_EQ(json.text("t"), "x");
  EXPECT_TRUE(json.flag("f"));
  EXPECT_EQ(json.number("n"), 7U);
  EXPECT_EQ(json.texts("l"), (std::vector<std::string>{"a", "b"}));
  const auto counters = json.numbers_if("c");
  ASSERT_TRUE(counters);
  EXPECT_EQ(counters->front().first, "z") << "the authority's order is lost";
  EXPECT_EQ(failure_, "");
}

TEST_F(Reading, AbsentAndNullAreAlike) {
  auto json = reader(R"({"t": null})");
  for (const char* member : {"t", "u"}) {
    EXPECT_FALSE(json.text_if(member));
    EXPECT_FALSE(json.number_if(member));
    EXPECT_FALSE(json.time_if(member));
    EXPECT_FALSE(json.object_if(member));
    EXPECT_FALSE(json.numbers_if(member));
    EXPECT_TRUE(json.texts(member).empty());
    json.each(member, [](JsonReader&) { FAIL(); });
  }
  EXPECT_EQ(failure_, "");
}

TEST_F(Reading, WhatHasToBeThereIsMissed) {
  reader("{}").text("a");
  EXPECT_EQ(failure_, "a is missing");
  reader("{}").flag("b");
  EXPECT_EQ(failure_, "b is missing");
  reader(R"({"c": null})").number("c");
  EXPECT_EQ(failure_, "c is missing");
}

TEST_F(Reading, AFailureNamesThePathAndTheFirstStays) {
  auto json = reader(R"({"a": [{"b": {"c": 1}}, {"b": {"c": "x"}}]})");
  json.each("a", [](JsonReader& element) {
    element.each_member("b", [](const std::string&, JsonReader&) {});
  });
  EXPECT_EQ(failure_, "a[0].b.c is not an object");
  json.text("nosuch");
  EXPECT_EQ(failure_, "a[0].b.c is not an object");
}

TEST_F(Reading, NoTypeIsTakenForAnother) {
  for (const char* value : {"null", "true", "1", "-1", "1.5", "\"x\"", "[]", "[1]", "{}",
                            "{\"a\": -1}", "{\"a\": \"x\"}", "1e300", "18446744073709551616"}) {
    const std::string octets = std::string("{\"m\": ") + value + "}";
    const auto fails = [&](auto read) {
      auto json = reader(octets.c_str());
      read(json);
      return !failure_.empty();
    };
    const std::string_view text(value);
    const bool null = text == "null";
    EXPECT_EQ(fails([](auto& json) { json.text_if("m"); }), text != "\"x\"" && !null) << value;
    EXPECT_EQ(fails([](auto& json) { json.flag_if("m"); }), text != "true" && !null) << value;
    EXPECT_EQ(fails([](auto& json) { json.number_if("m"); }), text != "1" && !null) << value;
    EXPECT_EQ(fails([](auto& json) { json.texts("m"); }), text != "[]" && !null) << value;
    EXPECT_EQ(fails([](auto& json) { json.numbers_if("m"); }), text != "{}" && !null) << value;
    EXPECT_TRUE(fails([](auto& json) { json.time_if("m"); }) || null) << value;
  }
}

TEST_F(Reading, TextsComeOutPrintable) {
  auto json = reader(R"({"t": "a\u001b[2Jb\nc", "o": {"\u0007": {}}})");
  EXPECT_EQ(json.text("t"), "a\uFFFD[2Jb c");
  json.each_member("o", [](const std::string& name, JsonReader&) { EXPECT_EQ(name, "\uFFFD"); });
}

TEST_F(Reading, ADocumentThatIsNoObjectFails) {
  const auto read = +[](JsonReader& json) { return json.text("a"); };
  for (const char* octets : {"null", "1", "[]", "\"a\"", "true"}) {
    const auto answer = read_answer(*parse_document(octets), read);
    ASSERT_FALSE(answer) << octets;
    EXPECT_EQ(answer.error(), "the document is not an object");
  }
}

TEST(ParseDocument, RejectsEveryTruncation) {
  const std::string whole = R"({"a": [1, {"b": "\u00e4"}], "c": null})";
  EXPECT_TRUE(parse_document(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_document(std::string_view(whole).substr(0, size))) << size;
  }
}

}  // namespace
}  // namespace sluice::ctl
