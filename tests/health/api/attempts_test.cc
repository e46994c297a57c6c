#include "health/api/attempts.h"

#include <array>

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;

base::IpAddress peer_at(const char* text) {
  return *base::IpAddress::parse(text);
}
base::IpAddress numbered_address(std::uint32_t number) {
  std::array<std::uint8_t, 16> octets{0x20, 0x01, 0x0d, 0xb8};
  octets[5] = static_cast<std::uint8_t>(number >> 16);
  octets[6] = static_cast<std::uint8_t>(number >> 8);
  octets[7] = static_cast<std::uint8_t>(number);
  return base::IpAddress::v6(octets);
}

class AttemptsTest : public ::testing::Test {
 protected:
  void fail(const base::IpAddress& address, int times) {
    for (int i = 0; i < times; ++i) attempts_.failed(address, now_);
  }

  Attempts attempts_;
  base::MonoTime now_{1'000'000ms};
};

TEST_F(AttemptsTest, SomeAreFreeAndThenOneASecond) {
  const auto address = peer_at("192.0.2.1");
  EXPECT_FALSE(attempts_.wait(address, now_));
  fail(address, Attempts::kBurst - 1);
  EXPECT_FALSE(attempts_.wait(address, now_));
  fail(address, 1);
  EXPECT_EQ(attempts_.wait(address, now_), 1000ms);
  EXPECT_EQ(attempts_.wait(address, now_ + 400ms), 600ms);
  EXPECT_FALSE(attempts_.wait(address, now_ + 1s));
  now_ += 1s;
  fail(address, 1);
  EXPECT_EQ(attempts_.wait(address, now_), 1000ms);
  // What is over is forgiven, and no more than that.
  now_ += 1h;
  fail(address, Attempts::kBurst);
  EXPECT_TRUE(attempts_.wait(address, now_));
}

// Those who were let in once may fail as often as they like, and their neighbours want to come
// back.
TEST_F(AttemptsTest, HoweverManyFailTheNextIsASecondAway) {
  const auto address = peer_at("192.0.2.1");
  fail(address, 10'000);
  EXPECT_EQ(attempts_.wait(address, now_), 1000ms);
  EXPECT_FALSE(attempts_.wait(address, now_ + 1s));
}

TEST_F(AttemptsTest, ANeighbourIsAnotherAddressAndA64IsOne) {
  fail(peer_at("192.0.2.1"), 100);
  EXPECT_FALSE(attempts_.wait(peer_at("192.0.2.2"), now_));
  fail(peer_at("2001:db8::1"), Attempts::kBurst / 2);
  fail(peer_at("2001:db8::2"), Attempts::kBurst / 2);
  EXPECT_TRUE(attempts_.wait(peer_at("2001:db8::3"), now_));
  EXPECT_FALSE(attempts_.wait(peer_at("2001:db8:0:1::1"), now_));
}

// A /48 has 65,536 of them.
TEST_F(AttemptsTest, MoreAddressesThanPlacesKeepNobodyOut) {
  for (std::uint32_t number = 0; number < 65'536; ++number) {
    fail(numbered_address(number), Attempts::kBurst);
  }
  for (std::uint32_t last = 0; last < 255; ++last) {
    const auto honest = base::IpAddress::v4({198, 51, 100, static_cast<std::uint8_t>(last)});
    EXPECT_FALSE(attempts_.wait(honest, now_));
  }
  // Those of the attacker that the table still has wait, and there are no more than its places.
  std::size_t waiting = 0;
  for (std::uint32_t number = 0; number < 65'536; ++number) {
    if (attempts_.wait(numbered_address(number), now_)) ++waiting;
  }
  EXPECT_GT(waiting, 0U);
  EXPECT_LE(waiting, Attempts::kPlaces);
}

TEST_F(AttemptsTest, WhoFailsMostIsForgottenLast) {
  const auto worst = peer_at("192.0.2.1");
  fail(worst, 10 * Attempts::kBurst);
  for (std::uint32_t number = 0; number < 65'536; ++number) fail(numbered_address(number), 1);
  EXPECT_TRUE(attempts_.wait(worst, now_));
}

}  // namespace
}  // namespace sluice::health
