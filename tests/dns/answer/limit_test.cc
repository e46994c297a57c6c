#include "dns/answer/limit.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dns/answer/asking.h"

namespace sluice::dns {
namespace {

using Verdict = ResponseLimiter::Verdict;
using fixture::Octets;

constexpr SipKey kKey{1, 2, 3};

config::RateLimit settings(unsigned rate, unsigned burst) {
  config::RateLimit made;
  made.responses_per_second = rate;
  made.burst = burst;
  made.accounts = 1'024;
  return made;
}

Answered about(std::uint32_t name, Rcode rcode = Rcode::NoError) {
  return {.size = 100, .rcode = rcode, .about = name};
}

struct Sent {
  unsigned whole = 0;
  unsigned slipped = 0;
  unsigned dropped = 0;
  friend bool operator==(const Sent&, const Sent&) = default;
};

class Limiter : public testing::Test {
 protected:
  Sent flood(ResponseLimiter& limiter, const std::string& client, unsigned answers,
             const Answered& answered = about(1)) {
    Sent sent;
    const base::IpAddress address = *base::IpAddress::parse(client);
    for (; answers > 0; --answers) {
      switch (limiter.judge(address.octets(), answered, now_)) {
        case Verdict::Send:
          ++sent.whole;
          break;
        case Verdict::Slip:
          ++sent.slipped;
          break;
        case Verdict::Drop:
          ++sent.dropped;
          break;
      }
    }
    return sent;
  }

  std::uint32_t now_ = 0xFFFF'FFF0;  // milliseconds; wraps within every test
};

TEST_F(Limiter, SendsABurstAndThenAsManyAsTheRateAllows) {
  ResponseLimiter limiter(settings(10, 20), kKey);
  EXPECT_EQ(flood(limiter, "192.0.2.1", 100), (Sent{20, 40, 40}));
  now_ += 99;
  EXPECT_EQ(flood(limiter, "192.0.2.1", 10).whole, 0U);
  now_ += 1;
  EXPECT_EQ(flood(limiter, "192.0.2.1", 10).whole, 1U);
  now_ += 1'000;
  EXPECT_EQ(flood(limiter, "192.0.2.1", 100).whole, 10U);
  now_ += 3'600'000;
  EXPECT_EQ(flood(limiter, "192.0.2.1", 100).whole, 20U) << "no more than a burst is saved up";
}

TEST_F(Limiter, NeverLimitsWhoKeepsToTheRate) {
  ResponseLimiter limiter(settings(10, 1), kKey);
  for (int turn = 0; turn < 1'000; ++turn) {
    ASSERT_EQ(flood(limiter, "192.0.2.1", 1).whole, 1U) << turn;
    now_ += 100;
  }
}

TEST_F(Limiter, LetsEachSlipthAnswerThrough) {
  config::RateLimit never = settings(1, 1);
  never.slip = 0;
  ResponseLimiter silent(never, kKey);
  EXPECT_EQ(flood(silent, "192.0.2.1", 101), (Sent{1, 0, 100}));
  config::RateLimit always = settings(1, 1);
  always.slip = 1;
  ResponseLimiter polite(always, kKey);
  EXPECT_EQ(flood(polite, "192.0.2.1", 101), (Sent{1, 100, 0}));
  config::RateLimit fifth = settings(1, 1);
  fifth.slip = 5;
  ResponseLimiter some(fifth, kKey);
  EXPECT_EQ(flood(some, "192.0.2.1", 101), (Sent{1, 20, 80}));
}

TEST_F(Limiter, CountsByBlockOfAddresses) {
  ResponseLimiter limiter(settings(1, 1), kKey);
  EXPECT_EQ(flood(limiter, "192.0.2.1", 1).whole, 1U);
  EXPECT_EQ(flood(limiter, "192.0.2.255", 1).whole, 0U);
  EXPECT_EQ(flood(limiter, "192.0.3.1", 1).whole, 1U);
  EXPECT_EQ(flood(limiter, "2001:db8:0:ff::1", 1).whole, 1U);
  EXPECT_EQ(flood(limiter, "2001:db8::2", 1).whole, 0U);
  EXPECT_EQ(flood(limiter, "2001:db8:0:100::1", 1).whole, 1U);
  EXPECT_EQ(flood(limiter, "c000:200::", 1).whole, 1U) << "192.0.2.0 in another family";
}

TEST_F(Limiter, CutsBlocksWithinAnOctet) {
  config::RateLimit odd = settings(1, 1);
  odd.ipv4_prefix = 23;
  ResponseLimiter limiter(odd, kKey);
  EXPECT_EQ(flood(limiter, "192.0.2.1", 1).whole, 1U);
  EXPECT_EQ(flood(limiter, "192.0.3.1", 1).whole, 0U);
  EXPECT_EQ(flood(limiter, "192.0.4.1", 1).whole, 1U);
  odd.ipv4_prefix = 32;
  ResponseLimiter hosts(odd, kKey);
  EXPECT_EQ(flood(hosts, "192.0.2.1", 1).whole, 1U);
  EXPECT_EQ(flood(hosts, "192.0.2.2", 1).whole, 1U);
}

TEST_F(Limiter, CountsByNameAndKindOfAnswer) {
  ResponseLimiter limiter(settings(1, 1), kKey);
  EXPECT_EQ(flood(limiter, "192.0.2.1", 1, about(1)).whole, 1U);
  EXPECT_EQ(flood(limiter, "192.0.2.1", 1, about(1)).whole, 0U);
  EXPECT_EQ(flood(limiter, "192.0.2.1", 1, about(2)).whole, 1U);
  EXPECT_EQ(flood(limiter, "192.0.2.1", 1, about(1, Rcode::NXDomain)).whole, 1U);
}

TEST_F(Limiter, ExemptsBlocksAndClientsWithAGoodCookie) {
  config::RateLimit exempting = settings(1, 1);
  exempting.exempt = {*base::Prefix::parse("192.0.2.128/25"), *base::Prefix::parse("::1")};
  ResponseLimiter limiter(exempting, kKey);
  EXPECT_EQ(flood(limiter, "192.0.2.129", 50).whole, 50U);
  EXPECT_EQ(flood(limiter, "::1", 50).whole, 50U);
  EXPECT_EQ(flood(limiter, "192.0.2.1", 50, about(Answered::kKnownClient)).whole, 50U);
  EXPECT_EQ(flood(limiter, "192.0.2.1", 50).whole, 0U) << "its block is used up";
}

TEST_F(Limiter, FollowsWildcardsToWhereTheyAre) {
  fixture::Serving serving(fixture::pool_config());
  Octets room(1'232);
  const auto asked = [&](const std::string& name) {
    return respond(fixture::now(serving), {}, fixture::to_wire({.name = name}), room);
  };
  const std::string pool = "pool01.contoso.example.";
  EXPECT_EQ(asked("a.wild." + pool).about, asked("b.c.wild." + pool).about);
  EXPECT_EQ(asked("a.child." + pool).about, asked("b.child." + pool).about) << "a referral";
  EXPECT_EQ(asked("a.nowhere." + pool).about, asked("nothing." + pool).about) << "NXDOMAIN";
  EXPECT_NE(asked("web." + pool).about, asked("mail." + pool).about);
}

TEST_F(Limiter, PassersByDoNotFreeWhoIsLimited) {
  ResponseLimiter limiter(settings(1, 2), kKey);
  EXPECT_EQ(flood(limiter, "192.0.2.1", 10).whole, 2U);
  // A hundred times as many accounts as there is room for.
  for (unsigned passer = 0; passer < 100'000; ++passer) {
    flood(limiter, "198.51.100.1", 1, about(passer));
  }
  EXPECT_EQ(flood(limiter, "192.0.2.1", 10).whole, 0U);
}

TEST_F(Limiter, WhoBringsMoreAccountsThanThereIsRoomForGainsNothing) {
  config::RateLimit few = settings(1, 10);
  few.accounts = 64;
  ResponseLimiter limiter(few, kKey);
  std::uint64_t whole = 0;
  for (int block = 0; block < 2'000; ++block) {
    const std::string client =
        "10." + std::to_string(block / 200) + "." + std::to_string(block % 200) + ".1";
    whole += flood(limiter, client, 100).whole;
  }
  EXPECT_LE(whole, 64U * 10U) << "each place has one burst to give away";
}

TEST(CutShort, LeavesQuestionAndOptAndSaysTruncated) {
  fixture::Serving serving(fixture::pool_config(8));
  for (const fixture::Question& question : fixture::questions()) {
    Octets room(1'232);
    const Octets query = fixture::to_wire(question);
    const Answered whole = respond(fixture::now(serving), {}, query, room);
    const Answered cut = cut_short(room, whole);  // before `room` is copied
    const fixture::Judged judged = fixture::judge(room, cut);
    ASSERT_TRUE(judged.parsed) << question.name << " " << question.type;
    EXPECT_TRUE(judged.tc());
    EXPECT_EQ(judged.size, query.size()) << "never more than was asked";
    EXPECT_EQ(judged.edns(), question.payload > 0);
    EXPECT_TRUE(judged.answer.empty() && judged.authority.empty() && judged.additional.empty());
    EXPECT_TRUE(std::equal(query.begin() + 12, query.begin() + 20, judged.octets.begin() + 12));
  }
}

TEST(CutShort, LeavesOutTheExplanation) {
  fixture::Serving serving(fixture::pool_config());
  Octets room(1'232);
  const Octets query = fixture::to_wire({.name = "elsewhere.example.", .payload = 1232});
  const Answered whole = respond(fixture::now(serving), {}, query, room);
  ASSERT_GT(whole.size, query.size()) << "REFUSED says why";
  const Answered cut = cut_short(room, whole);
  EXPECT_EQ(cut.size, query.size());
  EXPECT_TRUE(fixture::judge(room, cut).edns());
}

TEST(CutShort, TakesAnAnswerWithoutAQuestion) {
  fixture::Serving serving(fixture::pool_config());
  Octets scrap(kHeaderOctets);
  scrap[2] = 2 << 3;  // STATUS
  Octets room(1'232);
  const Answered whole = respond(fixture::now(serving), {}, scrap, room);
  ASSERT_EQ(whole.size, kHeaderOctets);
  EXPECT_EQ(cut_short(room, whole).size, kHeaderOctets);
}

}  // namespace
}  // namespace sluice::dns
