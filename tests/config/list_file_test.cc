#include "config/list_file.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Each record as "LINE OWNER ADDRESS", each mistake as "LINE: WHAT".
std::vector<std::string> read(std::string_view text, std::chrono::seconds ttl = 30s) {
  ListFile records(text, ttl);
  std::vector<std::string> lines;
  for (;;) {
    const auto step = records.next();
    if (step.record) {
      lines.push_back(std::to_string(step.record->line) + ' ' + std::string(step.record->owner) +
                      ' ' + step.record->address.to_string());
    } else if (!step.mistake.empty()) {
      lines.push_back(std::to_string(step.line) + ": " + step.mistake);
    } else {
      return lines;
    }
  }
}

TEST(ListFile, ReadsARecordFromALine) {
  EXPECT_THAT(
      read("$ORIGIN scale.example.\n"
           "; a comment\n"
           "\n"
           "fe01.pool1  A  10.0.0.1\n"
           "fe01.pool1\tAAAA\t2001:db8::1 ; behind it, too\n"
           "Fe02.POOL1.Scale.Example. a 10.0.0.2\r\n"
           "   \t\n"
           "fe01.pool2 A 10.0.0.3"),
      ElementsAre("4 fe01.pool1.scale.example 10.0.0.1", "5 fe01.pool1.scale.example 2001:db8::1",
                  "6 fe02.pool1.scale.example 10.0.0.2", "8 fe01.pool2.scale.example 10.0.0.3"));
}

TEST(ListFile, SaysWhetherTheOwnerIsTheOneBefore) {
  ListFile records("a.b. A 10.0.0.1\n A 10.0.0.2\na.b. A 10.0.0.3\nc.b. A 10.0.0.4\n", 30s);
  std::vector<bool> same;
  for (auto step = records.next(); step.record; step = records.next()) {
    same.push_back(step.record->same_owner);
  }
  EXPECT_THAT(same, ElementsAre(false, true, true, false));
}

TEST(ListFile, TakesTheLastOwnerForABlankOne) {  // RFC 1035 section 5.1
  EXPECT_THAT(read("a.b. A 10.0.0.1\n\tAAAA 2001:db8::1\n"),
              ElementsAre("1 a.b 10.0.0.1", "2 a.b 2001:db8::1"));
  EXPECT_THAT(read(" A 10.0.0.1\n"),
              ElementsAre("1: must begin with the name of a server: there is none before it"));
  // $ORIGIN does not change who that was.
  EXPECT_THAT(read("$ORIGIN b.\na A 10.0.0.1\n$ORIGIN c.\n A 10.0.0.2\na A 10.0.0.3\n"),
              ElementsAre("2 a.b 10.0.0.1", "4 a.b 10.0.0.2", "5 a.c 10.0.0.3"));
}

TEST(ListFile, KnowsOrigins) {
  EXPECT_THAT(read("$ORIGIN example.\n$origin pool1\nfe A 10.0.0.1\n@ A 10.0.0.2\n"),
              ElementsAre("3 fe.pool1.example 10.0.0.1", "4 pool1.example 10.0.0.2"));
}

TEST(ListFile, TakesClassAndTtlInEitherOrder) {
  for (const char* fields : {"30", "IN", "30 IN", "in 30", "0m30s"}) {
    EXPECT_THAT(read("a.b. " + std::string(fields) + " A 10.0.0.1"), ElementsAre("1 a.b 10.0.0.1"))
        << fields;
  }
  EXPECT_THAT(read("$TTL 1h30m\na.b. 5400 A 10.0.0.1", 90min), ElementsAre("2 a.b 10.0.0.1"));
}

TEST(ListFile, RefusesWhatAListCantSay) {
  const std::vector<std::pair<const char*, const char*>> mistakes = {
      {"a.b. 60 A 10.0.0.1",
       "has the TTL 60, but the pools' ttl is 30s: leave it out here, or make them agree"},
      {"$TTL 60",
       "has the TTL 60, but the pools' ttl is 30s: leave it out here, or make them agree"},
      {"$TTL soon", "must be a TTL in seconds, is soon"},
      {"$TTL", "must be $TTL SECONDS"},
      {"$TTL 30 30", "must be $TTL SECONDS"},
      {"a.b. 3x A 10.0.0.1", "must be a TTL in seconds, is 3x"},
      {"a.b. 99999999999 A 10.0.0.1", "must be a TTL in seconds, is 99999999999"},
      {"a.b. CH A 10.0.0.1", "must be of class IN, is of CH"},
      {"a.b. MX 10 mail",
       "is a record of type MX: a list has A and AAAA records alone, others "
       "belong into zones:"},
      {"a.b. 10.0.0.1", "must be a TTL in seconds, is 10.0.0.1"},
      {"a.b.", "must be NAME A ADDRESS or NAME AAAA ADDRESS"},
      {"a.b. IN", "must be NAME A ADDRESS or NAME AAAA ADDRESS"},
      {"a.b. A", "must end with an IPv4 address such as 192.0.2.1"},
      {"a.b. AAAA", "must end with an IPv6 address such as 2001:db8::1"},
      {"a.b. A 10.0.0.256", "must be an IPv4 address such as 192.0.2.1, is 10.0.0.256"},
      {"a.b. A 2001:db8::1", "must be an IPv4 address such as 192.0.2.1, is 2001:db8::1"},
      {"a.b. AAAA 10.0.0.1", "must be an IPv6 address such as 2001:db8::1, is 10.0.0.1"},
      {"a.b. A 224.0.0.1", "must be the address of one machine, is 224.0.0.1"},
      {"a.b. A 10.0.0.1 10.0.0.2", "has more behind the address: 10.0.0.2"},
      {"a.b. A ( 10.0.0.1 )",
       "has one of ( ) \" \\, which a list can't have: one record stands in one line"},
      {"$INCLUDE more.zone", "has $INCLUDE: a list knows $ORIGIN and $TTL alone"},
      {"$ORIGIN", "must be $ORIGIN NAME."},
      {"fe01 A 10.0.0.1",
       "has the relative name fe01: end it with a dot, or put $ORIGIN NAME. "
       "before it"},
      {"@ A 10.0.0.1",
       "has the relative name @: end it with a dot, or put $ORIGIN NAME. before it"},
      {"*.b. A 10.0.0.1",
       "must be a DNS name: the label \"*\" has more than letters, digits, - and "
       "_, is *.b"},
      {"a..b. A 10.0.0.1",
       "must be a DNS name: a label is empty (two dots in a row, or one at an "
       "end), is a..b"},
      {"-a.b. A 10.0.0.1", "must be a DNS name: the label \"-a\" has - at an end, is -a.b"},
      {"10.0.0.1. A 10.0.0.1", "must be a name, is the address 10.0.0.1"},
  };
  for (const auto& [line, told] : mistakes) {
    EXPECT_THAT(read(line), ElementsAre("1: " + std::string(told))) << line;
  }
}

TEST(ListFile, HasNamesOf253Octets) {
  const std::string label(63, 'a');
  const std::string longest = label + '.' + label + '.' + label + '.' + std::string(61, 'b') + '.';
  EXPECT_THAT(read(longest + " A 10.0.0.1"), testing::Not(ElementsAre(testing::HasSubstr("must"))));
  EXPECT_THAT(read('b' + label + ". A 10.0.0.1"), ElementsAre(testing::HasSubstr("64 octets")));
  EXPECT_THAT(read("b." + longest + " A 10.0.0.1"), ElementsAre(testing::HasSubstr("at most 253")));
}

TEST(ListFile, GoesOnBehindAMistakeButTellsItOnce) {
  EXPECT_THAT(read("a b\n A 10.0.0.1\n*.b. A 10.0.0.2\n A 10.0.0.3\nc.b. A 10.0.0.4\n"),
              ElementsAre(testing::StartsWith("1: has the relative name a"),
                          testing::StartsWith("3: must be a DNS name"), "5 c.b 10.0.0.4"));
}

TEST(ListFile, EndsWithAnOriginThatItCantRead) {
  EXPECT_THAT(read("$ORIGIN b.\na A 10.0.0.1\n$ORIGIN *.\na A 10.0.0.2\n"),
              ElementsAre("2 a.b 10.0.0.1", testing::StartsWith("3: must be a DNS name")));
}

TEST(ListFile, SurvivesForeignOctets) {
  for (int octet = 0; octet < 256; ++octet) {
    const char c = static_cast<char>(octet);
    read(std::string("a.b. A 10.0.0.1\n") + c);
    read(std::string("a") + c + ".b. A 10.0.0.1");
    read(std::string("a.b. ") + c + " A" + c + "10.0.0.1" + c);
    read(std::string("$ORIGIN ") + c + "\n" + c);
  }
}

}  // namespace
}  // namespace sluice::config
