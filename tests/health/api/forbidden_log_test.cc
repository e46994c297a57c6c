#include "health/api/forbidden_log.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class ForbiddenLogTest : public ::testing::Test {
 protected:
  std::optional<Event> record(const std::string& by, const std::string& server,
                              const std::string& port = "40000") {
    Identity who;
    who.by = by;
    who.origin = "192.0.2.1@" + port;
    return log_.record(who, server, "asked for another's", now_);
  }
  void pass(base::Duration time) {
    now_.mono += time;
    now_.wall += time;
  }

  ForbiddenLog log_;
  base::Now now_{base::MonoTime{1h}, base::WallTime{1'763'632'800s}};
};

TEST_F(ForbiddenLogTest, TellsTheFirstAtOnceAndItsRepetitionsOnce) {
  const auto first = record("fe01", "fe02.example");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->type, EventType::Forbidden);
  EXPECT_EQ(first->by, "fe01");
  EXPECT_EQ(first->origin, "192.0.2.1@40000");
  EXPECT_EQ(first->server, "fe02.example");
  EXPECT_EQ(first->text, "asked for another's");
  EXPECT_EQ(first->numbers.at("requests"), 1U);
  for (int port = 1; port <= 1'000; ++port) {
    EXPECT_FALSE(record("fe01", "fe02.example", std::to_string(port)));
  }
  pass(59s);
  EXPECT_TRUE(log_.take_due(now_).empty());
  pass(1s);
  const auto due = log_.take_due(now_);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].origin, "192.0.2.1");
  EXPECT_EQ(due[0].numbers.at("requests"), 1'000U);
  EXPECT_EQ(due[0].text, "asked for another's; again 1000 times within a minute");
  EXPECT_TRUE(log_.empty());
  EXPECT_TRUE(record("fe01", "fe02.example")) << "the next minute begins anew";
}

TEST_F(ForbiddenLogTest, SaysNothingMoreOfWhatCameOnce) {
  EXPECT_TRUE(record("fe01", "fe02.example"));
  EXPECT_TRUE(record("fe01", "fe03.example")) << "another server";
  EXPECT_TRUE(record("fe04", "fe02.example")) << "another token";
  EXPECT_TRUE(log_.take_all(now_).empty());
  EXPECT_TRUE(log_.empty());
}

TEST_F(ForbiddenLogTest, AFloodOfKindsIsBounded) {
  std::size_t told = 0;
  for (int server = 0; server < 10'000; ++server) {
    if (record("fe01", "s" + std::to_string(server))) ++told;
  }
  EXPECT_EQ(told, ForbiddenLog::kKinds);
  const auto rest = log_.take_all(now_);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].numbers.at("requests"), 10'000 - ForbiddenLog::kKinds);
  EXPECT_THAT(rest[0].text, HasSubstr("of further callers"));
}

}  // namespace
}  // namespace sluice::health
