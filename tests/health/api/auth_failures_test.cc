#include "health/api/auth_failures.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr base::Now kStart{base::MonoTime(100h), base::WallTime(480'000h)};

base::Now after(base::Duration time) {
  return {kStart.mono + time, kStart.wall + time};
}

TEST(AuthFailures, TellsEachAddressAtTheEndOfItsMinute) {
  AuthFailures failures;
  EXPECT_TRUE(failures.empty());
  failures.record("192.0.2.1@40000", kStart.mono);
  failures.record("192.0.2.1@40001", after(59s).mono);
  failures.record("2001:db8::1@40000", after(30s).mono);
  EXPECT_FALSE(failures.empty());
  EXPECT_TRUE(failures.take_due(after(59'999ms)).empty());

  const std::vector<Event> first = failures.take_due(after(60s));
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].type, EventType::Authentication);
  EXPECT_EQ(first[0].origin, "192.0.2.1");
  EXPECT_EQ(first[0].numbers.at("failures"), 2U);
  EXPECT_EQ(first[0].at, after(60s).wall);
  EXPECT_EQ(first[0].text, "2 requests failed to authenticate");

  const std::vector<Event> second = failures.take_due(after(90s));
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].origin, "2001:db8::1");
  EXPECT_EQ(second[0].text, "1 request failed to authenticate");
  EXPECT_TRUE(failures.empty());
}

TEST(AuthFailures, IsBoundedWhateverComes) {
  AuthFailures failures;
  for (int i = 0; i < 100'000; ++i) {
    failures.record("10.0." + std::to_string(i / 256 % 256) + "." + std::to_string(i % 256) + "@1",
                    kStart.mono);
  }
  const std::vector<Event> events = failures.take_due(after(60s));
  ASSERT_EQ(events.size(), AuthFailures::kAddresses + 1);
  std::uint64_t sum = 0;
  for (const Event& event : events) sum += event.numbers.at("failures");
  EXPECT_EQ(sum, 100'000U) << "none is lost";
  EXPECT_EQ(events.back().origin, "");
  EXPECT_THAT(events.back().text, HasSubstr("further addresses"));
  EXPECT_TRUE(failures.empty());
}

TEST(AuthFailures, MakesRoomWhenAMinuteIsOver) {
  AuthFailures failures;
  for (std::size_t i = 0; i < AuthFailures::kAddresses; ++i) {
    failures.record("192.0.2." + std::to_string(i) + "@1", kStart.mono);
  }
  EXPECT_EQ(failures.take_due(after(60s)).size(), AuthFailures::kAddresses);
  failures.record("198.51.100.1@1", after(61s).mono);
  EXPECT_EQ(failures.take_due(after(121s)).at(0).origin, "198.51.100.1");
}

TEST(AuthFailures, TellsAllAtTheEnd) {
  AuthFailures failures;
  failures.record("192.0.2.1@40000", kStart.mono);
  EXPECT_EQ(failures.take_all(after(1s)).size(), 1U);
  EXPECT_TRUE(failures.empty());
}

}  // namespace
}  // namespace sluice::health
