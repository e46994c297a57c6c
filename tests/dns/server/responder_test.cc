#include "dns/server/responder.h"

#include <array>

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "tests/dns/server/pool.h"

namespace sluice::dns {
namespace {

class ResponderTest : public testing::Test {
 protected:
  unsigned answered_member() {
    const test::Octets query = test::query(1);
    std::array<std::uint8_t, 4'096> room;
    const Answered answered = responder_.answer(Transport::Udp, nullptr, query, room);
    return test::member_of({room.begin(), room.begin() + answered.size});
  }

  test::Pool pool_;
  unsigned progress_ = 0;
  Responder responder_{pool_.cell(), {}, [this] { ++progress_; }};
};

TEST_F(ResponderTest, BeginsWithThePublicationThatItFinds) {
  EXPECT_EQ(responder_.publication(), pool_.cell().publication());
  EXPECT_EQ(answered_member(), 1U);
  EXPECT_EQ(progress_, 0U);
}

TEST_F(ResponderTest, AnswersByAPublicationFromTheNextRefreshOn) {
  const std::uint64_t before = responder_.publication();
  const std::uint64_t publication = pool_.show(2);
  EXPECT_EQ(responder_.publication(), before) << "marked before it was taken";
  EXPECT_EQ(answered_member(), 1U);
  responder_.refresh();
  EXPECT_EQ(responder_.publication(), publication);
  EXPECT_EQ(answered_member(), 2U);
}

TEST_F(ResponderTest, TellsOfProgressOnceAPublication) {
  responder_.refresh();
  EXPECT_EQ(progress_, 0U);
  pool_.show(2);
  pool_.show(3);
  responder_.refresh();
  responder_.refresh();
  EXPECT_EQ(progress_, 1U);
}

TEST_F(ResponderTest, RotatesFromQueryToQuery) {
  pool_.show(std::vector<unsigned>{1, 2, 3});
  responder_.refresh();
  std::array<bool, 3> came_last{};
  for (int i = 0; i < 3; ++i) {
    const test::Octets query = test::query(1);
    std::array<std::uint8_t, 4'096> room;
    const Answered answered = responder_.answer(Transport::Udp, nullptr, query, room);
    came_last.at(room.at(answered.size - 1) - 1U) = true;
  }
  EXPECT_EQ(came_last, (std::array{true, true, true}));
}

TEST_F(ResponderTest, LimitsByTheSettingsOfThePublication) {
  const test::Octets query = test::query(1);
  const sockaddr_in client{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
  const auto answered = [&](Transport transport) {
    std::array<std::uint8_t, 4'096> room;
    return responder_.answer(transport, reinterpret_cast<const sockaddr*>(&client), query, room)
        .size;
  };
  for (int turn = 0; turn < 10; ++turn) EXPECT_GT(answered(Transport::Udp), 0U);
  ResponseSettings settings;
  settings.rate_limit.responses_per_second = 1;
  settings.rate_limit.burst = 3;
  settings.rate_limit.slip = 0;
  pool_.renew(settings);
  responder_.refresh();
  for (int turn = 0; turn < 10; ++turn) {
    EXPECT_EQ(answered(Transport::Udp) > 0, turn < 3) << turn;
    EXPECT_GT(answered(Transport::Tcp), 0U) << "TCP is never limited";
  }
  EXPECT_EQ(responder_.counters().read().limited_dropped, 7U);
  EXPECT_EQ(responder_.counters().read().silent, 0U);
  pool_.renew({});
  responder_.refresh();
  EXPECT_GT(answered(Transport::Udp), 0U) << "off again";
}

TEST_F(ResponderTest, SlipsAnEmptyTruncatedAnswer) {
  ResponseSettings settings;
  settings.rate_limit.responses_per_second = 1;
  settings.rate_limit.burst = 1;
  settings.rate_limit.slip = 1;
  pool_.renew(settings);
  responder_.refresh();
  const test::Octets query = test::query(1);
  const sockaddr_in client{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
  std::array<std::uint8_t, 4'096> room;
  for (int turn = 0; turn < 2; ++turn) {
    const Answered answered =
        responder_.answer(Transport::Udp, reinterpret_cast<const sockaddr*>(&client), query, room);
    EXPECT_EQ(answered.size == query.size(), turn == 1);
    EXPECT_EQ((room[2] & 2) != 0, turn == 1);
  }
  EXPECT_EQ(responder_.counters().read().limited_slipped, 1U);
}

}  // namespace
}  // namespace sluice::dns
