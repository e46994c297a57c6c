#include "health/api/handshake_queue.h"

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using base::MonoTime;
using std::chrono::milliseconds;

class HandshakeQueueTest : public ::testing::Test {
 protected:
  // All whose turn it is, as long as there is one.
  std::vector<HandshakeQueue::Id> turns() {
    std::vector<HandshakeQueue::Id> ids;
    while (const auto id = queue_.next(now_)) ids.push_back(*id);
    return ids;
  }
  using Ids = std::vector<HandshakeQueue::Id>;

  HandshakeQueue queue_{{.places = 2, .turns = 4, .patience = milliseconds(1'000)}};
  MonoTime now_{std::chrono::hours(1)};
};

TEST_F(HandshakeQueueTest, ServesWhoComesFirst) {
  for (const HandshakeQueue::Id id : {7U, 3U, 5U}) queue_.ready(id);
  EXPECT_EQ(turns(), (Ids{7, 3}));
  EXPECT_EQ(queue_.under_way(), 2U);
  EXPECT_EQ(queue_.waiting(), 1U);
  queue_.forget(7);
  EXPECT_EQ(turns(), (Ids{5}));
}

TEST_F(HandshakeQueueTest, LetsThoseGoOnWhoHaveAPlace) {
  queue_.ready(1);
  EXPECT_EQ(turns(), (Ids{1}));
  queue_.ready(2);
  queue_.ready(1);
  queue_.ready(1);
  EXPECT_EQ(turns(), (Ids{1, 2})) << "once, however often it is told";
}

TEST_F(HandshakeQueueTest, PassesOverWhoIsGone) {
  queue_.ready(1);
  queue_.ready(2);
  queue_.ready(3);
  queue_.forget(1);
  queue_.forget(9);
  EXPECT_EQ(queue_.waiting(), 2U);
  EXPECT_EQ(turns(), (Ids{2, 3}));
  queue_.ready(2);
  queue_.forget(2);
  EXPECT_EQ(turns(), (Ids{}));
  EXPECT_EQ(queue_.under_way(), 1U);
}

TEST_F(HandshakeQueueTest, SomebodyGivesWayOnlyToSomebody) {
  queue_.ready(1);
  EXPECT_EQ(turns(), (Ids{1}));
  now_ += milliseconds(10);
  queue_.ready(2);
  EXPECT_EQ(turns(), (Ids{2}));
  now_ += milliseconds(5'000);
  EXPECT_FALSE(queue_.gives_way(now_)) << "nobody waits";
  EXPECT_FALSE(queue_.gives_way_at());
  queue_.ready(3);
  EXPECT_EQ(queue_.gives_way(now_), 1U) << "it has its place for the longest time";
  queue_.forget(1);
  EXPECT_EQ(turns(), (Ids{3}));
  EXPECT_FALSE(queue_.gives_way(now_));
}

TEST_F(HandshakeQueueTest, NobodyGivesWayInItsTime) {
  queue_.ready(1);
  queue_.ready(2);
  turns();
  queue_.ready(3);
  now_ += milliseconds(999);
  EXPECT_FALSE(queue_.gives_way(now_));
  EXPECT_EQ(queue_.gives_way_at(), now_ + milliseconds(1));
  now_ += milliseconds(1);
  queue_.ready(1);
  EXPECT_FALSE(queue_.gives_way(now_)) << "it waits for us";
  EXPECT_EQ(turns(), (Ids{1}));
  EXPECT_EQ(queue_.gives_way(now_), 1U) << "to go on is not to be done";
}

}  // namespace
}  // namespace sluice::health
