#include "config/document.h"

#include "gtest/gtest.h"

namespace sluice::config {
namespace {

Document parsed(std::string_view text) {
  auto document = Document::parse(text, "t.yaml");
  EXPECT_TRUE(document) << base::to_string(document.error());
  return *std::move(document);
}

std::string refused(std::string_view text) {
  const auto document = Document::parse(text, "t.yaml");
  return document ? "" : base::to_string(document.error());
}

// The value of a key of the root mapping, by its place.
Document::Id value_at(const Document& document, int place) {
  auto node = document.first_child(document.root());
  for (int i = 0; i < 2 * place + 1; ++i) node = document.next(*node);
  return *node;
}

TEST(Document, KnowsKindTextStyleAndLine) {
  const Document document = parsed(
      "a: plain\n"
      "b: \"quoted\"\n"
      "c: |\n"
      "  literal\n"
      "d: >\n"
      "  folded\n"
      "e: [1, 2]\n"
      "f: {g: h}\n"
      "i:\n"
      "j: 'single'\n");
  ASSERT_EQ(document.kind(document.root()), Document::Kind::Mapping);
  const auto expect = [&](int place, Document::Kind kind, Document::Style style, int line,
                          std::string_view text) {
    const auto id = value_at(document, place);
    EXPECT_EQ(document.kind(id), kind) << place;
    EXPECT_EQ(document.style(id), style) << place;
    EXPECT_EQ(document.line(id), line) << place;
    EXPECT_EQ(document.text(id), text) << place;
  };
  using Kind = Document::Kind;
  using Style = Document::Style;
  expect(0, Kind::Scalar, Style::Plain, 1, "plain");
  expect(1, Kind::Scalar, Style::Quoted, 2, "quoted");
  expect(2, Kind::Scalar, Style::Literal, 3, "literal\n");
  expect(3, Kind::Scalar, Style::Folded, 5, "folded\n");
  expect(4, Kind::Sequence, Style::Plain, 7, "");
  expect(5, Kind::Mapping, Style::Plain, 8, "");
  expect(6, Kind::Null, Style::Plain, 9, "");  // not line 10, where the next key begins
  expect(7, Kind::Scalar, Style::Quoted, 10, "single");
}

TEST(Document, SharesWhatAnAliasStandsFor) {
  const Document document = parsed("a: &x [1, 2]\nb: *x\nc: 3\n");
  const auto anchor = value_at(document, 0);
  const auto alias = value_at(document, 1);
  EXPECT_EQ(document.kind(alias), Document::Kind::Sequence);
  EXPECT_EQ(document.line(alias), 1);
  EXPECT_EQ(document.first_child(alias), document.first_child(anchor));
  EXPECT_EQ(document.text(value_at(document, 2)), "3");
}

TEST(Document, RefusesAnAliasInsideOfItself) {
  EXPECT_EQ(refused("a: &x [*x]"), "t.yaml:1: this alias stands inside of what it is an alias for");
  EXPECT_EQ(refused("&x {a: {b: *x}}"),
            "t.yaml:1: this alias stands inside of what it is an alias for");
  EXPECT_EQ(refused("*x"), "t.yaml:1: not YAML: the referenced anchor is not defined");
  EXPECT_EQ(refused("a: \"\\"), "t.yaml:1: not YAML: unknown escape character: ?")
      << "found by the fuzzer";
}

TEST(Document, RefusesABillionLaughs) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 100; ++i) {
    const std::string one = "*a" + std::to_string(i - 1) + ", ";
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int n = 0; n < 10; ++n) text += one;
    text += "]\n";
  }
  EXPECT_EQ(refused(text), "t.yaml:5: aliases make this document stand for too much: write it out");
}

TEST(Document, LetsManyPlacesShareOneBlock) {
  std::string text = "- &x {a: [1, 2, 3], b: {c: d, e: f}}\n";
  for (int i = 0; i < 20'000; ++i) text += "- *x\n";
  EXPECT_EQ(refused(text), "");
}

TEST(Document, RefusesDepthThatNobodyMeans) {
  for (const char* opening : {"[", "{", "- ", "? ", "{a: ", "[{"}) {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += opening;
    EXPECT_NE(refused(text), "") << opening;
  }
  std::string closed(20'000, '[');
  closed += std::string(20'000, ']');
  EXPECT_EQ(refused(closed), "t.yaml:1: is nested too deeply");
}

TEST(Document, RefusesKeysThatAreNoWords) {
  EXPECT_EQ(refused("? [a]\n: b"), "t.yaml:1: a key must be a word, is a list or a mapping");
  EXPECT_EQ(refused("{a: b}: c"), "t.yaml:1: a key must be a word, is a list or a mapping");
  EXPECT_EQ(refused("? a\n: &x b\n? *x\n: c"), "t.yaml:3: a key must be a word, is an alias");
  EXPECT_EQ(refused("~: c"), "t.yaml:1: a key must be a word, is empty");
  EXPECT_EQ(refused(": c"), "t.yaml:1: a key must be a word, is empty");
}

TEST(Document, RefusesTagsAndSecondDocuments) {
  EXPECT_NE(refused("a: !!int 5").find("tags"), std::string::npos);
  EXPECT_NE(refused("a: !x [5]").find("tags"), std::string::npos);
  EXPECT_NE(refused("!x {a: b}").find("tags"), std::string::npos);
  EXPECT_EQ(refused("a: b\n---\nc: d\n"),
            "t.yaml:2: a second document starts here: a configuration is one");
  EXPECT_EQ(refused("---\na: b\n...\n"), "");
}

TEST(Document, RefusesWhatIsNotText) {
  EXPECT_EQ(refused(std::string_view("a: b\0", 5)),
            "t.yaml:1: octet 0x00 is not text: a control character");
  EXPECT_EQ(refused("a: b\nc: \x04\n"), "t.yaml:2: octet 0x04 is not text: a control character");
  EXPECT_EQ(refused("\xff\xfe"
                    "a"),
            "t.yaml:1: octet 0xff is not UTF-8");
}

TEST(Document, RefusesNothingAtAll) {
  for (const char* text : {"", "\n", "# comment", "---", "~", "null", "\xef\xbb\xbf"}) {
    EXPECT_EQ(refused(text), "t.yaml: is empty") << text;
  }
}

}  // namespace
}  // namespace sluice::config
