#include "dns/server/responder.h"

#include <array>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace sluice::dns
