#include "dns/server/responder.h"

#include <array>
#include <chrono>

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "dns/wire/writer.h"
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

TEST_F(ResponderTest, CountsInTheRowOfThePublicationThatItAnswersBy) {
  const auto count = [&] {
    const test::Octets query = test::query(1);
    std::array<std::uint8_t, 4'096> room;
    const Answered answered = responder_.answer(Transport::Udp, nullptr, query, room);
    responder_.count(Transport::Udp, answered.rcode, answered.answer_set);
  };
  const auto queries = [&] { return pool_.publisher().answer_set_queries().front().queries; };
  const auto before = pool_.publisher().answer_set_queries();
  EXPECT_TRUE(before.empty()) << "never asked";
  count();
  EXPECT_EQ(queries(), 1U);
  responder_.count(Transport::Udp, Rcode::NXDomain, Answered::kNoAnswerSet);
  EXPECT_EQ(queries(), 1U);
  EXPECT_EQ(responder_.counters().read().by(Transport::Udp, Rcode::NXDomain), 1U);
  const std::uint64_t publication = pool_.renew({});
  count();
  EXPECT_EQ(queries(), 2U) << "by the old one still";
  responder_.refresh();
  count();
  pool_.publisher().served(publication);
  count();
  EXPECT_EQ(queries(), 4U);
}

TEST(ResponderCounts, ByNoAnswerSetWhereItHasNoRow) {
  test::Pool pool;
  Responder responder(pool.cell(), {.worker = test::Pool::kCountingWorkers}, [] {});
  responder.count(Transport::Udp, Rcode::NoError, 0);
  EXPECT_EQ(responder.counters().read().by(Transport::Udp, Rcode::NoError), 1U);
  EXPECT_TRUE(pool.publisher().answer_set_queries().empty());
}

// The exact clock costs more than an answer's share of a batch: it is read where a TTL needs it.
TEST(ResponderClocks, TheMonotonicOneIsReadOnceABatchAndOnlyWhileTtlsCountDown) {
  static unsigned reads;
  static base::MonoTime mono;
  static base::WallTime wall;
  reads = 0;
  mono = base::MonoTime(std::chrono::hours(5));
  wall = base::WallTime(std::chrono::hours(500'000));
  test::Pool pool;
  Responder responder(pool.cell(),
                      {.clock = [] { return wall; },
                       .mono_clock =
                           [] {
                             ++reads;
                             return mono;
                           }},
                      [] {});
  const auto ttl = [&] {
    const test::Octets query = test::query(1);
    std::array<std::uint8_t, 4'096> room;
    const Answered answered = responder.answer(Transport::Udp, nullptr, query, room);
    EXPECT_EQ(answered.size, query.size() + kARecord);
    return load_u32(room.data() + query.size() + 6);
  };
  responder.refresh();
  EXPECT_EQ(ttl(), 30U);
  EXPECT_EQ(reads, 0U);
  pool.cap(mono + std::chrono::seconds(20));
  EXPECT_EQ(ttl(), 30U) << "another batch";
  responder.refresh();
  EXPECT_EQ(ttl(), 20U);
  wall += std::chrono::hours(1);
  responder.refresh();
  EXPECT_EQ(ttl(), 20U) << "the wall clock may jump";
  wall -= std::chrono::hours(2);
  mono += std::chrono::milliseconds(4'001);
  EXPECT_EQ(ttl(), 20U) << "as of the batch";
  responder.refresh();
  EXPECT_EQ(ttl(), 15U);
  EXPECT_EQ(ttl(), 15U);
  EXPECT_EQ(reads, 3U);
  pool.cap(health::Members::kNoEnd);
  responder.refresh();
  EXPECT_EQ(ttl(), 30U);
  EXPECT_EQ(reads, 3U);
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
