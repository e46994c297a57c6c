#include "tools/sluicectl/render/event_words.h"

#include <chrono>
#include <cstdlib>
#include <ctime>

#include "gtest/gtest.h"

#include "tests/tools/sluicectl/now.h"

namespace sluice::ctl {
namespace {

using namespace std::chrono_literals;

class EventWords : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    setenv("TZ", "UTC0", 1);
    tzset();
  }
  static std::string line(const std::string& members, const Surface& surface = {}) {
    const std::string octets =
        R"({"at": "2025-11-20T09:59:30.5Z", "generation": 17, )" + members + "}";
    const auto read = read_answer(*parse_document(octets), read_event);
    EXPECT_TRUE(read) << read.error();
    return event_line(*read, kNow, surface);
  }
};

TEST_F(EventWords, SayWhenWhatWhereWhyAndWho) {
  EXPECT_EQ(line(R"("type": "drain", "server": "fe02.example", "service": null, "text": "patch",
                    "by": "operations", "origin": "10.0.0.7")"),
            "09:59:30  drain           fe02.example: patch (by operations from 10.0.0.7)");
  EXPECT_EQ(line(R"("type": "status", "server": "fe02.example", "service": "front-end",
                    "was": "accepting", "status": "draining", "text": "accepting -> draining")"),
            "09:59:30  status          front-end on fe02.example: accepting -> draining");
  EXPECT_EQ(line(R"("type": "generation", "text": "")"), "09:59:30  generation      generation 17");
  EXPECT_EQ(line(R"("type": "authentication", "origin": "10.0.0.9", "text": "wrong tokens",
                    "numbers": {"failures": 12})"),
            "09:59:30  authentication  wrong tokens, failures=12 (from 10.0.0.9)");
  EXPECT_EQ(line(R"("type": "forbidden", "server": "fe02.example", "by": "fe01",
                    "origin": "10.0.0.9@40000", "numbers": {"requests": 1},
                    "text": "the agent of fe01.example asked for another server")"),
            "09:59:30  forbidden       fe02.example: the agent of fe01.example asked for another "
            "server, requests=1 (by fe01 from 10.0.0.9@40000)");
}

TEST_F(EventWords, ARefusalNamesItsRule) {
  EXPECT_EQ(line(R"("type": "refusal", "server": "fe02", "by": "operations", "rule": "floor",
                    "answer_set": "pool", "numbers": {"accepting": 2}, "text": "would keep 1 of 2")"),
            "09:59:30  refusal         fe02: rule floor, would keep 1 of 2 (by operations)");
}

TEST_F(EventWords, OnATerminalTheWordsGoOnBelowThemselves) {
  const char* members =
      R"("type": "drain", "server": "fe02.example", "text": "a reason of many words")";
  const std::string whole = "09:59:30  drain           fe02.example: a reason of many words";
  EXPECT_EQ(line(members, {.width = 62}), whole);
  EXPECT_EQ(line(members, {.width = 61}),
            "09:59:30  drain           fe02.example: a reason of many\n"
            "                          words");
  EXPECT_EQ(line(members, {.width = 40}), whole) << "no room for a column of words";
}

TEST_F(EventWords, WhatHasNoTimeIsOfNow) {
  const auto read =
      read_answer(*parse_document(R"({"type": "reset", "text": "too old"})"), read_event);
  ASSERT_TRUE(read);
  EXPECT_EQ(event_line(*read, kNow, {}), "10:00:00  reset           too old");
}

TEST_F(EventWords, AnEventOfALaterVersionIsALineAsWell) {
  EXPECT_EQ(line(R"("type": "a-very-new-event-type", "text": "x")"),
            "09:59:30  a-very-new-event-type  x");
  EXPECT_EQ(line(R"("type": "new")"), "09:59:30  new");
}

TEST_F(EventWords, ColourIsForTheType) {
  EXPECT_EQ(line(R"("type": "alarm", "server": "fe02", "text": "x")", {.colour = true}),
            "09:59:30  \x1b[33malarm\x1b[0m           fe02: x");
}

}  // namespace
}  // namespace sluice::ctl
