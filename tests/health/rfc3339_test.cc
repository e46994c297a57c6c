#include "health/rfc3339.h"

#include <array>
#include <limits>

#include <gtest/gtest.h>

namespace sluice::health {
namespace {

using base::Duration;
using base::WallTime;

// 2026-11-20T10:00:30Z, from `date -u +%s`.
constexpr WallTime kMoment{Duration(1'795'168'830'000)};

TEST(Rfc3339, FormatsWholeSecondsWithoutAFraction) {
  EXPECT_EQ(to_rfc3339(kMoment), "2026-11-20T10:00:30Z");
  EXPECT_EQ(to_rfc3339(WallTime{}), "1970-01-01T00:00:00Z");
}

TEST(Rfc3339, FormatsMillisecondsWhenThereAreSome) {
  EXPECT_EQ(to_rfc3339(kMoment + Duration(7)), "2026-11-20T10:00:30.007Z");
  EXPECT_EQ(to_rfc3339(WallTime(Duration(-1))), "1969-12-31T23:59:59.999Z");
}

TEST(Rfc3339, ClampsWhatFourDigitsOfAYearCanNotSay) {
  EXPECT_EQ(to_rfc3339(WallTime::max()), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(to_rfc3339(WallTime::min()), "0000-01-01T00:00:00Z");
}

TEST(Rfc3339, ReadsTheExamplesOfSection58) {
  EXPECT_EQ(parse_rfc3339("1985-04-12T23:20:50.52Z"), WallTime(Duration(482'196'050'520)));
  EXPECT_EQ(parse_rfc3339("1996-12-19T16:39:57-08:00"), parse_rfc3339("1996-12-20T00:39:57Z"));
  EXPECT_EQ(parse_rfc3339("1937-01-01T12:00:27.87+00:20"),
            parse_rfc3339("1937-01-01T11:40:27.870Z"));
}

TEST(Rfc3339, ReadsWhatItFormats) {
  for (const std::int64_t ms : {0LL, 1LL, -1LL, 999LL, 951'782'400'000LL, 1'795'168'830'250LL}) {
    const WallTime time{Duration(ms)};
    EXPECT_EQ(parse_rfc3339(to_rfc3339(time)), time) << to_rfc3339(time);
  }
}

TEST(Rfc3339, CutsDigitsBelowTheMillisecond) {
  EXPECT_EQ(parse_rfc3339("2026-11-20T10:00:30.2509999999999z"), kMoment + Duration(250));
}

TEST(Rfc3339, RejectsEveryTruncation) {
  const std::string_view whole = "2026-11-20T10:00:30.250+01:30";
  ASSERT_TRUE(parse_rfc3339(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_rfc3339(whole.substr(0, size))) << whole.substr(0, size);
  }
}

TEST(Rfc3339, RejectsWhatIsNoTime) {
  constexpr std::array kWrong{
      "2026-11-20 10:00:30Z",      "2026-11-20T10:00:30",      "2026-11-31T10:00:30Z",
      "2026-02-29T10:00:30Z",      "2026-13-01T10:00:30Z",     "2026-00-01T10:00:30Z",
      "2026-01-00T10:00:30Z",      "2026-11-20T24:00:00Z",     "2026-11-20T10:60:30Z",
      "2026-11-20T23:59:60Z",      "2026-11-20T10:00:30.Z",    "2026-11-20T10:00:30+24:00",
      "2026-11-20T10:00:30+01:60", "2026-11-20T10:00:30+0100", "2026-11-20T10:00:30Z ",
      " 2026-11-20T10:00:30Z",     "26-11-20T10:00:30Z",       "2026-11-20T10:00Z",
      "+026-11-20T10:00:30Z",      "2026-11-20T10:00:30ZZ",    "20261120T100030Z",
      "2026-11-20T10:00:30,5Z"};
  for (const char* text : kWrong) EXPECT_FALSE(parse_rfc3339(text)) << text;
}

TEST(Rfc3339, KnowsLeapYears) {
  EXPECT_TRUE(parse_rfc3339("2028-02-29T00:00:00Z"));
  EXPECT_TRUE(parse_rfc3339("2000-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("2100-02-29T00:00:00Z"));
}

}  // namespace
}  // namespace sluice::health
