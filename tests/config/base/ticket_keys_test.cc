#include "config/base/ticket_keys.h"

#include "gtest/gtest.h"

namespace sluice::base {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class TicketKeysTest : public ::testing::Test {
 protected:
  TicketKeys keys_;
  MonoTime now_{hours(5)};
};

TEST_F(TicketKeysTest, AreTheSameForAnHour) {
  const auto first = keys_.current(now_);
  ASSERT_TRUE(first);
  EXPECT_NE(first->cipher, first->mac);
  EXPECT_EQ(keys_.current(now_ + minutes(59))->name, first->name);
  const auto second = keys_.current(now_ + minutes(60));
  EXPECT_NE(second->name, first->name);
  EXPECT_NE(second->cipher, first->cipher);
}

TEST_F(TicketKeysTest, AreFoundAsLongAsTheirTicketsAreGood) {
  const auto first = keys_.current(now_);
  EXPECT_TRUE(keys_.find(first->name, now_)->is_current);
  for (int hour = 1; hour < 3; ++hour) {
    keys_.current(now_ + hours(hour));
    const auto found = keys_.find(first->name, now_ + hours(hour) + minutes(59));
    ASSERT_TRUE(found) << hour;
    EXPECT_EQ(found->key.cipher, first->cipher);
    EXPECT_FALSE(found->is_current);
  }
  EXPECT_FALSE(keys_.find(first->name, now_ + hours(3))) << "too old, though nobody came since";
  keys_.current(now_ + hours(3));
  EXPECT_FALSE(keys_.find(first->name, now_ + hours(3)));
}

TEST_F(TicketKeysTest, KnowNothingOfOthers) {
  EXPECT_FALSE(keys_.find(std::array<std::uint8_t, 16>{}, now_));
  keys_.current(now_);
  EXPECT_FALSE(keys_.find(std::array<std::uint8_t, 16>{}, now_));
  TicketKeys others;
  EXPECT_FALSE(keys_.find(others.current(now_)->name, now_));
}

}  // namespace
}  // namespace sluice::base
