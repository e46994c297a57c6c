#include "health/cluster/copy_queue.h"

#include "gtest/gtest.h"

namespace sluice::cluster {
namespace {

using Part = CopyQueue::Part;

Change change(std::string key, std::int64_t revision) {
  return {std::move(key), "{}", revision, 0};
}

TEST(CopyQueue, HasNothingAtFirst) {
  CopyQueue queue;
  EXPECT_FALSE(queue.urgent());
  EXPECT_FALSE(queue.take());
}

TEST(CopyQueue, AnEditionIsUrgentAndWhole) {
  CopyQueue queue;
  queue.add(change("holds/a", 5), Part::Decided);
  EXPECT_FALSE(queue.urgent());
  EXPECT_FALSE(queue.take()) << "its edition is to come";
  queue.add(change("edition", 6), Part::Edition);
  EXPECT_TRUE(queue.urgent());
  const auto batch = queue.take();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->revision, 6);
  EXPECT_EQ(batch->changes.size(), 2U);
  EXPECT_FALSE(queue.urgent());
  EXPECT_FALSE(queue.take());
}

TEST(CopyQueue, BeatsWaitForWhoeverTakesThem) {
  CopyQueue queue;
  queue.add(change("served/ns2", 7), Part::Other);
  EXPECT_FALSE(queue.urgent());
  const auto batch = queue.take();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->revision, 7);
}

TEST(CopyQueue, WhatFollowsAnEditionDoesNotHoldItBack) {
  CopyQueue queue;
  queue.add(change("holds/a", 5), Part::Decided);
  queue.add(change("edition", 5), Part::Edition);
  queue.add(change("holds/b", 6), Part::Decided);
  queue.add(change("served/ns2", 7), Part::Other);
  EXPECT_TRUE(queue.urgent());
  const auto first = queue.take();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->revision, 5) << "a revision that it has promises all before it";
  EXPECT_EQ(first->changes.size(), 2U);
  EXPECT_FALSE(queue.take()) << "the beat came amid an edition";
  queue.add(change("edition", 8), Part::Edition);
  const auto second = queue.take();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->revision, 8);
  ASSERT_EQ(second->changes.size(), 3U);
  EXPECT_EQ(second->changes[1].key, "served/ns2");
}

TEST(CopyQueue, IsEmptyOnceCleared) {
  CopyQueue queue;
  queue.add(change("holds/a", 5), Part::Decided);
  queue.clear();
  queue.add(change("served/ns2", 7), Part::Other);
  const auto batch = queue.take();
  ASSERT_TRUE(batch) << "no edition is open any more";
  EXPECT_EQ(batch->changes.size(), 1U);
}

}  // namespace
}  // namespace sluice::cluster
