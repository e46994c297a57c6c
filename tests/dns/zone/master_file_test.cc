#include "dns/zone/master_file.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::dns {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Read {
  std::vector<std::string> records;  // "line owner ttl type rdata-in-hex"
  std::vector<std::string> errors;
};

Read read(const std::string& text) {
  const config::Zone zone{"example.org", text, {"zone.txt", 5}};
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
  EXPECT_THAT(read("a A 1.1.1.1\n").errors, ElementsAre(HasSubstr("no TTL")));
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

TEST(ReadMasterFile, SurvivesAnyCutOfItsText) {
  const std::string text =
      "@ 60 SOA a b ( 1 2\n 3 4 5 )\n$TTL 1h\nx TXT \"a;b\" c\\;d\n y MX 10 z\n";
  for (std::size_t size = 0; size < text.size(); ++size) read(text.substr(0, size));
}

}  // namespace
}  // namespace sluice::dns
