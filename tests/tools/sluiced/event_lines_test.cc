#include "tools/sluiced/event_lines.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "tests/tools/sluiced/start.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;

health::Event event_of(health::EventType type) {
  health::Event event;
  event.type = type;
  event.server = "fe01.pool.example";
  event.service = "front-end";
  event.by = "operations";
  event.origin = "192.0.2.1@40000";
  event.text = "patch\n forged";
  event.generation = 17;
  return event;
}

TEST(EventLines, AnOrderIsOneLineThatNobodyCanForge) {
  EventLines lines;
  const auto line = lines.line_of(event_of(health::EventType::Drain), kStart);
  ASSERT_TRUE(line);
  EXPECT_FALSE(line->warning);
  EXPECT_EQ(line->text,
            "drain fe01.pool.example front-end by operations from 192.0.2.1@40000: "
            "patch\\x0a forged (generation 17)");
}

TEST(EventLines, AnAlarmIsAWarning) {
  EventLines lines;
  EXPECT_TRUE(lines.line_of(event_of(health::EventType::Alarm), kStart)->warning);
  EXPECT_TRUE(lines.line_of(event_of(health::EventType::MassLoss), kStart)->warning);
}

TEST(EventLines, AFloodOfStatusesHasSomeLinesAndANumber) {
  EventLines lines;
  std::size_t told = 0;
  for (int i = 0; i < 60'000; ++i) {
    if (lines.line_of(event_of(health::EventType::Status), kStart)) ++told;
  }
  EXPECT_EQ(told, 100U);
  EXPECT_FALSE(lines.passed_over(kStart)) << "no room yet";
  const auto passed_over = lines.passed_over(kStart + 1s);
  ASSERT_TRUE(passed_over);
  EXPECT_THAT(passed_over->text, ::testing::HasSubstr("59900 more"));
  EXPECT_FALSE(lines.passed_over(kStart + 2s)) << "told once";
}

TEST(EventLines, AFloodDelaysNoOrdersLine) {
  EventLines lines;
  for (int i = 0; i < 1'000; ++i) lines.line_of(event_of(health::EventType::Lease), kStart);
  EXPECT_TRUE(lines.line_of(event_of(health::EventType::Drain), kStart));
}

}  // namespace
}  // namespace sluice
