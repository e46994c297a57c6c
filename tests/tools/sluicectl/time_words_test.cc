#include "tools/sluicectl/time_words.h"

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <optional>

#include "gtest/gtest.h"

#include "health/rfc3339.h"

namespace sluice::ctl {
namespace {

class TimeWords : public testing::Test {
 protected:
  // Europe/Berlin as a rule, so that no database of zones is needed: clocks go forward on
  // 2026-03-29 at 02:00 and back on 2026-10-25 at 03:00.
  void SetUp() override { zone("CET-1CEST,M3.5.0,M10.5.0/3"); }
  void TearDown() override { zone("UTC0"); }
  static void zone(const char* name) {
    setenv("TZ", name, 1);
    tzset();
  }

  static std::string at(const char* typed, const char* now) {
    const auto time = api_time(typed, *health::parse_rfc3339(now));
    return time ? *time : "error: " + time.error();
  }
};

TEST_F(TimeWords, Rfc3339StaysAsItIs) {
  for (const char* typed : {"2026-11-20T22:00:00Z", "2026-11-20t22:00:00.5+01:00"}) {
    EXPECT_EQ(at(typed, "2026-01-01T00:00:00Z"), typed);
  }
}

TEST_F(TimeWords, WhatIsPastIsRefused) {
  EXPECT_EQ(at("2026-11-20T22:00:00Z", "2026-11-20T22:00:00Z"),
            "error: '2026-11-20T22:00:00Z' is past");
  const base::WallTime now = *health::parse_rfc3339("2026-11-20T22:00:00Z");
  EXPECT_FALSE(no_future("2026-11-20T22:00:01Z", now));
  EXPECT_FALSE(no_future("2h", now));
  EXPECT_TRUE(no_future("2026-11-20T21:59:59Z", now));
}

TEST_F(TimeWords, ADurationLosesItsSign) {
  EXPECT_EQ(at("+2h", "2026-01-01T00:00:00Z"), "2h");
  EXPECT_EQ(at("+1h30m", "2026-01-01T00:00:00Z"), "1h30m");
}

TEST_F(TimeWords, ATimeOfDayIsTheNextOne) {
  EXPECT_EQ(at("22:00", "2026-11-20T20:59:59Z"), "2026-11-20T21:00:00Z");
  EXPECT_EQ(at("22:00", "2026-11-20T21:00:00Z"), "2026-11-21T21:00:00Z") << "now is not next";
  EXPECT_EQ(at("00:00", "2026-12-31T22:59:00Z"), "2026-12-31T23:00:00Z");
  EXPECT_EQ(at("00:30", "2026-12-31T23:59:00Z"), "2027-01-01T23:30:00Z");
}

TEST_F(TimeWords, ATimeOfDayIsOfTheOffsetOfItsOwnDay) {
  EXPECT_EQ(at("22:00", "2026-03-28T20:00:00Z"), "2026-03-28T21:00:00Z");
  EXPECT_EQ(at("22:00", "2026-03-28T22:00:00Z"), "2026-03-29T20:00:00Z");
  EXPECT_EQ(at("22:00", "2026-10-24T21:00:00Z"), "2026-10-25T21:00:00Z");
}

TEST_F(TimeWords, WhatTheClocksSkipIsRefused) {
  EXPECT_EQ(at("01:59", "2026-03-29T00:30:00Z"), "2026-03-29T00:59:00Z");
  EXPECT_EQ(at("03:00", "2026-03-29T00:30:00Z"), "2026-03-29T01:00:00Z");
  for (const char* now : {"2026-03-28T12:00:00Z", "2026-03-29T00:45:00Z"}) {
    EXPECT_EQ(at("02:30", now).substr(0, 29), "error: the clocks skip the ne") << now;
  }
  EXPECT_EQ(at("02:30", "2026-03-29T01:30:00Z"), "2026-03-30T00:30:00Z") << "the gap is past";
}

TEST_F(TimeWords, WhatTheClocksShowTwiceIsTheNextOfBoth) {
  EXPECT_EQ(at("02:30", "2026-10-25T00:00:00Z"), "2026-10-25T00:30:00Z");
  EXPECT_EQ(at("02:30", "2026-10-25T00:30:00Z"), "2026-10-25T01:30:00Z");
  EXPECT_EQ(at("02:30", "2026-10-25T01:30:00Z"), "2026-10-26T01:30:00Z");
}

TEST_F(TimeWords, HalfAnHourOfSummerIsNoMatter) {
  zone("LHST-10:30LHDT-11,M10.1.0,M4.1.0");  // Lord Howe
  EXPECT_EQ(at("01:45", "2026-04-04T14:30:00Z"), "2026-04-04T14:45:00Z");
  EXPECT_EQ(at("01:45", "2026-04-04T14:45:00Z"), "2026-04-04T15:15:00Z");
}

TEST_F(TimeWords, OtherWordsAreNoTime) {
  for (const char* typed :
       {"", "noon", "9:30", "24:00", "22:60", "22:00:00", "-2h", "+", "+2", "+-2h", "2026-11-20",
        "2026-11-20T22:00:00", "2026-11-31T22:00:00Z", "22.00", " 22:00", "a2:00"}) {
    EXPECT_EQ(at(typed, "2026-01-01T00:00:00Z").substr(0, 7), "error: ") << typed;
  }
  EXPECT_NE(at("2h", "2026-01-01T00:00:00Z").find("(from now on: +2h)"), std::string::npos);
}

TEST_F(TimeWords, AnExpiryIsADurationOrRfc3339) {
  EXPECT_EQ(*api_expiry("2h"), "2h");
  EXPECT_EQ(*api_expiry("2026-11-20T22:00:00Z"), "2026-11-20T22:00:00Z");
  for (const char* typed : {"", "2", "+2h", "22:00", "0s"})
    EXPECT_FALSE(api_expiry(typed)) << typed;
}

}  // namespace
}  // namespace sluice::ctl
