#include "config/base/duration.h"

#include "gtest/gtest.h"

namespace sluice::base {
namespace {

using namespace std::chrono_literals;

TEST(Duration, IsReadWithItsUnits) {
  EXPECT_EQ(parse_duration("90s"), 90s);
  EXPECT_EQ(parse_duration("15m"), 15min);
  EXPECT_EQ(parse_duration("15min"), 15min);
  EXPECT_EQ(parse_duration("2h"), 2h);
  EXPECT_EQ(parse_duration("1h30m"), 90min);
  EXPECT_EQ(parse_duration("1h30min5s"), 90min + 5s);
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("1d"), 24h);
  EXPECT_EQ(parse_duration("1d2h3m4s5ms"), 26h + 3min + 4s + 5ms);
  EXPECT_EQ(parse_duration("0s"), 0s);
  EXPECT_EQ(parse_duration("36500d"), 36500 * 24h);
}

TEST(Duration, IsNotGuessed) {
  for (const char* text : {"",
                           "0",
                           "90",
                           "s",
                           "1.5h",
                           "-1s",
                           "+1s",
                           " 1s",
                           "1s ",
                           "1 s",
                           "1S",
                           "1w",
                           "1us",
                           "30m1h",
                           "1s1s",
                           "1m1min",
                           "1hs",
                           "1h30",
                           "0x1s",
                           "1e3s",
                           "36501d",
                           "36500d1ms",
                           "876001h",
                           "99999999999999999999s",
                           "9223372036854775807d",
                           "9223372036854775807ms",
                           "1\u00b5s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Duration, IsWrittenAsItIsRead) {
  EXPECT_EQ(to_text(0s), "0s");
  EXPECT_EQ(to_text(90s), "1m30s");
  EXPECT_EQ(to_text(10min), "10m");
  EXPECT_EQ(to_text(168h), "7d");
  EXPECT_EQ(to_text(1500ms), "1s500ms");
  for (std::int64_t ms = 1; ms < 36500LL * 86'400'000; ms = ms * 3 + 1) {
    EXPECT_EQ(parse_duration(to_text(Duration(ms))), Duration(ms));
  }
}

}  // namespace
}  // namespace sluice::base
