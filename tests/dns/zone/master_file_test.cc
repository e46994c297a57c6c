#include "dns/zone/master_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::dns {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A folder of files that is gone afterwards.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluice-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string path(const std::string& name) const { return (path_ / name).string(); }
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }

 private:
  std::filesystem::path path_;
};

struct Read {
  std::vector<std::string> records;  // "line owner ttl type rdata-in-hex"
  std::vector<std::string> errors;
};

Read read(const std::string& text, const std::string& file = "zone.txt") {
  const config::Zone zone{"example.org", text, {file, 5}};
  Read result;
  SourceMap sources;
  const auto errors = read_master_file(zone, "zones[0]", sources, [&](const Record& record) {
    std::string line = std::to_string(sources.where(record.place).line) + " " +
                       record.owner.to_string() + " " + std::to_string(record.ttl) + " " +
                       std::to_string(static_cast<unsigned>(record.type)) + " ";
    for (const std::uint8_t octet : record.rdata) {
      line += "0123456789abcdef"[octet >> 4];
      line += "0123456789abcdef"[octet & 15];
    }
    result.records.push_back(line);
  });
  for (const base::Error& error : errors) result.errors.push_back(base::to_string(error));
  return result;
}

TEST(ReadMasterFile, SaysTheLineOfTheFileWhereTheTextBegins) {
  const Read result = read("\nwww 60 IN A 192.0.2.1\nwww 60 IN A 192.0.2\n");
  EXPECT_THAT(result.records, ElementsAre("6 www.example.org 60 1 c0000201"));
  EXPECT_THAT(result.errors,
              ElementsAre(HasSubstr("zone.txt:7: zones[0]: A record of www.example.org")));
}

TEST(ReadMasterFile, TakesTtlAndClassInEitherOrder) {  // RFC 1035 section 5.1
  const Read result = read(
      "a 60 IN A 1.1.1.1\nb IN 60 A 1.1.1.1\nc 60 A 1.1.1.1\nd IN A 1.1.1.1\n"
      "e CLASS1 A 1.1.1.1\n");
  EXPECT_THAT(result.errors, ElementsAre());
  ASSERT_EQ(result.records.size(), 5U);
  EXPECT_EQ(result.records[1], "6 b.example.org 60 1 01010101");
  EXPECT_EQ(result.records[3], "8 d.example.org 60 1 01010101");
}

TEST(ReadMasterFile, TakesAMissingTtlFromTheDirectiveOrTheRecordBefore) {
  const Read result = read(
      "a 60 A 1.1.1.1\nb A 1.1.1.1\n$TTL 1h30m\nc A 1.1.1.1\nd 7 A 1.1.1.1\n"
      "e A 1.1.1.1\n$TTL 0\nf A 1.1.1.1\n");
  EXPECT_THAT(result.errors, ElementsAre());
  EXPECT_THAT(result.records, ElementsAre(HasSubstr(" 60 "), HasSubstr(" 60 "), HasSubstr(" 5400 "),
                                          HasSubstr(" 7 "), HasSubstr(" 5400 "), HasSubstr(" 0 ")));
}

TEST(ReadMasterFile, TakesAnHourWhereNobodySaysATtl) {
  EXPECT_THAT(read("a A 1.1.1.1\nb 5 A 1.1.1.1\nc A 1.1.1.1\n").records,
              ElementsAre(HasSubstr(" 3600 "), HasSubstr(" 5 "), HasSubstr(" 5 ")));
}

TEST(ReadMasterFile, GivesUpAfterTwentyMistakes) {
  std::string text;
  for (int line = 0; line < 1'000; ++line) text += "a 60 NONE nothing\n";
  const Read result = read(text);
  ASSERT_EQ(result.errors.size(), 20U);
  EXPECT_THAT(result.errors.front(), testing::Not(HasSubstr("not read")));
  EXPECT_THAT(result.errors.back(), HasSubstr("the rest was not read"));
}

TEST(ReadMasterFile, RefusesRdataOfMoreThanItsLengthCanSay) {  // RFC 1035 section 3.2.1
  const std::string text = "a 60 SVCB 1 . key1000=" + std::string(40'000, 'x') +
                           " key1001=" + std::string(25'530, 'y') + "\n";
  EXPECT_THAT(read(text).errors, ElementsAre(HasSubstr("more than 65535 octets")));
}

TEST(ReadMasterFile, TakesTtlsBelowTwoToThe31) {  // RFC 2181 section 8
  EXPECT_THAT(read("a 2147483647 A 1.1.1.1\n").errors, ElementsAre());
  EXPECT_THAT(read("a 2147483648 A 1.1.1.1\n").errors, ElementsAre(HasSubstr("TTL must be")));
  EXPECT_THAT(read("a 99999999999999999999w A 1.1.1.1\n").errors,
              ElementsAre(HasSubstr("TTL must be")));
  EXPECT_THAT(read("$TTL 4000w\n").errors, ElementsAre(HasSubstr("$TTL must be")));
}

TEST(ReadMasterFile, ReadsOwnersRelativeToTheOrigin) {
  const Read result = read(
      "@ 1 A 1.1.1.1\n A 2.2.2.2\n$ORIGIN sub\nb A 1.1.1.1\n"
      "$ORIGIN other.org.\nB\\.c A 1.1.1.1\nabs.example.net. A 1.1.1.1\n"
      "@ CNAME x\n");
  EXPECT_THAT(result.errors, ElementsAre());
  EXPECT_THAT(result.records,
              ElementsAre(HasSubstr("5 example.org "), HasSubstr("6 example.org "),
                          HasSubstr("b.sub.example.org "), HasSubstr(" b\\.c.other.org "),
                          HasSubstr(" abs.example.net "),
                          HasSubstr(" other.org 1 5 0178056f74686572036f726700")));
}

TEST(ReadMasterFile, RefusesWhatItDoesNotUnderstandLineByLine) {
  const Read result = read(
      " 60 A 1.1.1.1\n$BOGUS x\n$ORIGIN\na 60 CH A 1.1.1.1\n"
      "b 60 BOGUS 1\nc 60\nd..e 60 A 1.1.1.1\nf 60 A 1.1.1.1 more\n"
      "$ORIGIN ..\nok 60 A 1.1.1.1\n");
  EXPECT_THAT(result.records, ElementsAre(HasSubstr("14 ok.example.org")));
  EXPECT_THAT(result.errors,
              ElementsAre(HasSubstr("zone.txt:5: zones[0]: no owner name"),
                          HasSubstr("zone.txt:6: zones[0]: $BOGUS is no directive"),
                          HasSubstr("$ORIGIN takes one"), HasSubstr("class CH"),
                          HasSubstr("BOGUS is not a record type"), HasSubstr("type is missing"),
                          HasSubstr("\"d..e\" is not a domain name"),
                          HasSubstr("zone.txt:12: zones[0]: A record of f.example.org"),
                          HasSubstr("$ORIGIN is not a domain name")));
}

TEST(ReadMasterFile, ReadsTheGenericFormAndChecksIt) {  // RFC 3597 section 5
  EXPECT_THAT(read("a 60 TYPE65280 \\# 3 010203\n").records,
              ElementsAre(HasSubstr(" 65280 010203")));
  EXPECT_THAT(read("a 60 TYPE1 \\# 4 01010101\n").records, ElementsAre(HasSubstr(" 1 01010101")));
  EXPECT_EQ(read("a 60 TYPE1 \\# 3 010101\n").errors.size(), 1U);
  EXPECT_EQ(read("a 60 TYPE5 \\# 3 036162\n").errors.size(), 1U) << "a name that ends early";
  EXPECT_EQ(read("a 60 TYPE15 \\# 1 00\n").errors.size(), 1U);
}

TEST(ReadMasterFile, IncludesFilesRelativeToTheIncludingOne) {  // RFC 1035 section 5.1
  const Folder folder;
  folder.write("sub/one", "a 60 A 1.1.1.1\n$INCLUDE two\n$INCLUDE ../three x\n");
  folder.write("sub/two", "b 60 A 1.1.1.1\n");
  folder.write("three", "c 60 A 1.1.1.1\n");
  folder.write("with space", "d 60 A 1.1.1.1\n");
  const Read result = read("$INCLUDE sub/one o.org.\n$INCLUDE \"with space\"\n$INCLUDE " +
                               folder.path("three") + " ; absolute\n",
                           folder.path("zone"));
  EXPECT_THAT(result.errors, ElementsAre());
  EXPECT_THAT(
      result.records,
      ElementsAre("1 a.o.org 60 1 01010101", "1 b.o.org 60 1 01010101", "1 c.x.o.org 60 1 01010101",
                  "1 d.example.org 60 1 01010101", "1 c.example.org 60 1 01010101"));
}

TEST(ReadMasterFile, AnIncludedTextChangesNothingBehindIt) {  // RFC 1035 section 5.1
  const Folder folder;
  folder.write("inner", " TXT inherited\n$ORIGIN deep\n$TTL 7\nb A 1.1.1.1\n$ORIGIN other.org.\n");
  const Read result = read("$TTL 9\na A 1.1.1.1\n$INCLUDE inner sub\n A 2.2.2.2\nc A 1.1.1.1\n",
                           folder.path("zone"));
  EXPECT_THAT(result.errors, ElementsAre());
  EXPECT_THAT(result.records, ElementsAre("6 a.example.org 9 1 01010101",
                                          HasSubstr("1 a.example.org 9 16"),  // owner and TTL go in
                                          "4 b.deep.sub.example.org 7 1 01010101",
                                          "8 a.example.org 9 1 02020202",  // and come back
                                          "9 c.example.org 9 1 01010101"));
}

TEST(ReadMasterFile, NamesFileAndLineOfAnIncludedMistake) {
  const Folder folder;
  folder.write("inner", "\n\na 60 A x\n$INCLUDE none\nb 60 A (\n");
  folder.write("binary", std::string("a 60 A 1.1.1.1\n\0", 16));
  const std::string inner = folder.path("inner");
  const Read result = read("$INCLUDE inner\nc 60 A x\n$INCLUDE binary\n", folder.path("zone"));
  EXPECT_THAT(result.errors,
              ElementsAre(HasSubstr(inner + ":3: zones[0]: A record of a.example.org: "),
                          HasSubstr(inner + ":4: zones[0]: $INCLUDE: " + folder.path("none") +
                                    " can't be read: No such file"),
                          HasSubstr(inner + ":5: zones[0]: a parenthesis is never closed"),
                          HasSubstr(folder.path("zone") + ":6: zones[0]: A record of c"),
                          HasSubstr(folder.path("binary") + ":2: zones[0]: not a text")));
}

TEST(ReadMasterFile, DoesNotIncludeForEver) {
  const Folder folder;
  folder.write("self", "$INCLUDE ./self\n");
  folder.write("ping", "$INCLUDE pong\n");
  folder.write("pong", "$INCLUDE ping\n");
  for (int depth = 1; depth <= 11; ++depth) {
    folder.write("d" + std::to_string(depth), "$INCLUDE d" + std::to_string(depth + 1) + "\n");
  }
  const Read result =
      read("$INCLUDE self\n$INCLUDE ping\n$INCLUDE d1\n$INCLUDE d3\n", folder.path("zone"));
  EXPECT_THAT(result.errors,
              ElementsAre(HasSubstr("self:1: zones[0]: $INCLUDE: " + folder.path("self") +
                                    " would include itself"),
                          HasSubstr("pong:1: zones[0]: $INCLUDE: " + folder.path("ping")),
                          HasSubstr("d10:1: zones[0]: $INCLUDE: more than ten deep"),
                          HasSubstr("d11:1: zones[0]: $INCLUDE: " + folder.path("d12"))));
}

TEST(ReadMasterFile, RefusesAnIncludeThatItDoesNotUnderstand) {
  const Folder folder;
  folder.write("inner", "");
  EXPECT_THAT(
      read("$INCLUDE\n$INCLUDE a b c\n$INCLUDE a\\256\n$INCLUDE inner a..b\n", folder.path("zone"))
          .errors,
      ElementsAre(HasSubstr("$INCLUDE takes a file"), HasSubstr("$INCLUDE takes a file"),
                  HasSubstr("$INCLUDE takes a file"),
                  HasSubstr("$INCLUDE: the origin is not a domain name")));
}

TEST(ReadMasterFile, GeneratesRecords) {
  const Read result = read(
      "x 9 A 9.9.9.9\n$GENERATE 1-5/2 h${0,2} 60 IN A 10.0.0.$\n$GENERATE 0-0 $ PTR h\n TXT z\n");
  EXPECT_THAT(result.errors, ElementsAre());
  EXPECT_THAT(result.records,
              ElementsAre(HasSubstr("x.example.org"), "6 h01.example.org 60 1 0a000001",
                          "6 h03.example.org 60 1 0a000003", "6 h05.example.org 60 1 0a000005",
                          HasSubstr("7 0.example.org 60 12"), HasSubstr("8 x.example.org 60 16")));
}

TEST(ReadMasterFile, RefusesAGenerateThatItDoesNotUnderstand) {
  EXPECT_THAT(read("$GENERATE 1-2 a A\n$GENERATE 2-1 a A 1.1.1.1\n$GENERATE 1-9 a 1 A ${q}\n"
                   "$GENERATE 250-260 a$ 1 A 1.1.1.$\n$GENERATE 1-4000001 a$ 1 A 1.1.1.1\n")
                  .errors,
              ElementsAre(HasSubstr("$GENERATE takes"), HasSubstr("$GENERATE takes"),
                          HasSubstr("$GENERATE: \"${\" must be"),
                          HasSubstr("zone.txt:8: zones[0]: A record of a256.example.org"),
                          HasSubstr("more than 4000000 records")))
      << "one mistake for each line";
}

TEST(ReadMasterFile, SurvivesAnyCutOfItsText) {
  const std::string text =
      "@ 60 SOA a b ( 1 2\n 3 4 5 )\n$TTL 1h\nx TXT \"a;b\" c\\;d\n y MX 10 z\n";
  for (std::size_t size = 0; size < text.size(); ++size) read(text.substr(0, size));
}

}  // namespace
}  // namespace sluice::dns
