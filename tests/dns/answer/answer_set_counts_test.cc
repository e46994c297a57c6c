#include "dns/answer/answer_set_counts.h"

#include <gtest/gtest.h>

namespace sluice::dns {
namespace {

TEST(AnswerSetCounts, AddUpOverWorkers) {
  AnswerSetCounts counts(3, 2);
  ASSERT_EQ(counts.row(0).size(), 3U);
  counts.row(0)[1].add();
  counts.row(1)[1].add(4);
  counts.row(1)[2].add();
  EXPECT_EQ(counts.total(0), 0U);
  EXPECT_EQ(counts.total(1), 5U);
  EXPECT_EQ(counts.total(2), 1U);
}

TEST(AnswerSetCounts, HaveNoRowForAWorkerTooMany) {
  AnswerSetCounts counts(3, 2);
  EXPECT_TRUE(counts.row(2).empty());
  EXPECT_TRUE(AnswerSetCounts().row(0).empty());
  EXPECT_TRUE(AnswerSetCounts(0, 2).row(1).empty());
}

TEST(AnswerSetCounts, NoTwoWorkersShareALineHoweverFewTheSetsAre) {
  AnswerSetCounts counts(1, 3);
  for (std::size_t worker = 1; worker < 3; ++worker) {
    const auto* before = reinterpret_cast<const char*>(&counts.row(worker - 1).back() + 1);
    const auto* here = reinterpret_cast<const char*>(counts.row(worker).data());
    EXPECT_GE(here - before, 128);
  }
}

}  // namespace
}  // namespace sluice::dns
