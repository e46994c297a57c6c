// The policies of a pool, asked: order and answer_size (selection_test.cc has their statistics).
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/wire/writer.h"
#include "tests/dns/answer/asking.h"

namespace sluice::dns {
namespace {

using config::Order;
using fixture::ask;
using fixture::Judged;
using fixture::kPool;
using fixture::kSip;
using fixture::now;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr std::uint64_t kDrawSeed = 20261120;

config::Config pool_with(Order order, unsigned answer_size, unsigned servers = 5) {
  config::Config config = fixture::pool_config(servers);
  config.pools[0].order = order;
  config.pools[0].answer_size = answer_size;
  return config;
}

QueryContext nth(std::uint64_t query, Transport transport = Transport::Udp) {
  return {.transport = transport, .rotation = query, .seed = kDrawSeed};
}

TEST(AnswerSize, ShowsSoManyServersOfEachType) {
  for (const Order order : {Order::Rotate, Order::Random, Order::Weighted, Order::Fixed}) {
    fixture::Serving serving(pool_with(order, 2));
    std::set<std::string> seen;
    for (std::uint64_t query = 0; query < 100; ++query) {
      for (const char* type : {"A", "AAAA"}) {
        for (const std::string& name : {kPool, "attendant." + kPool, "pool." + kPool}) {
          const Judged judged = ask(now(serving), {.name = name, .type = type}, nth(query));
          ASSERT_TRUE(judged.parsed && !judged.tc());
          ASSERT_THAT(judged.answer, SizeIs(name == "pool." + kPool ? 3 : 2));
          ASSERT_NE(judged.answer.back(), judged.answer[judged.answer.size() - 2]);
          seen.insert(judged.answer.back());
        }
      }
    }
    EXPECT_THAT(seen, SizeIs(testing::Ge(16U))) << "4 or 5 servers, 2 types, 2 owners";
  }
}

TEST(AnswerSize, AdditionalRecordsAreThoseOfTheTargetsShown) {
  for (const Order order : {Order::Rotate, Order::Weighted}) {
    fixture::Serving serving(pool_with(order, 2));
    for (const std::string& name : {kSip, "sips." + kPool}) {
      for (std::uint64_t query = 0; query < 100; ++query) {
        const Judged srv =
            ask(now(serving), {.name = name, .type = "SRV", .payload = 1232}, nth(query));
        ASSERT_TRUE(srv.parsed);
        std::vector<std::string> expected;
        for (const std::string& record : srv.answer) {
          if (record.find(" SRV 10 25600 5060 fe") == std::string::npos) continue;
          const std::string target = record.substr(record.rfind(' ') + 1);
          const std::string number = target.substr(3, 1);
          expected.push_back(target + " 30 IN A 10.99.0." + number);
          expected.push_back(target + " 30 IN AAAA fd99::" + number);
        }
        ASSERT_THAT(expected, SizeIs(4));
        ASSERT_EQ(srv.additional, expected);
      }
    }
  }
}

TEST(AnswerSize, AnotherNamesAdditionalRecordsFollowIt) {
  fixture::Serving serving(pool_with(Order::Rotate, 2));
  // MX 5 fe01, MX 6 the pool: the host's two addresses and two of each type of the pool's.
  const Judged mx =
      ask(now(serving), {.name = "hosts." + kPool, .type = "MX", .payload = 1232}, nth(1));
  ASSERT_TRUE(mx.parsed);
  EXPECT_THAT(mx.additional, SizeIs(2 + 2 * 2));
}

// The octets of the last label of each A record, straight from the end of the message.
std::vector<unsigned> last_octets(const ServingSnapshot& snapshot, const fixture::Octets& query,
                                  std::uint64_t number, unsigned records) {
  static fixture::Octets room(512);
  const Answered answered = respond(snapshot, nth(number), query, room);
  std::vector<unsigned> octets;
  for (unsigned back = records; back > 0; --back) {
    octets.push_back(room[answered.size - (back - 1) * kARecord - 1]);
  }
  return octets;
}

// With 4 degrees of freedom, 18.5 is exceeded by one in 1,000 right ones.
double chi_squared(const std::map<unsigned, double>& seen, const config::Pool& pool, double whole) {
  double weights = 0;
  for (const config::Server& server : pool.servers) weights += server.weight;
  double sum = 0;
  for (unsigned i = 0; i < pool.servers.size(); ++i) {
    const double expected = whole * pool.servers[i].weight / weights;
    const double times = seen.contains(i + 1) ? seen.at(i + 1) : 0;
    sum += (times - expected) * (times - expected) / expected;
  }
  return sum;
}

TEST(AnswerSize, TheShareOfAppearancesFollowsTheWeight) {
  config::Config config = pool_with(Order::Rotate, 2);
  const std::array<std::uint8_t, 5> weights = {20, 60, 100, 100, 220};
  for (std::size_t i = 0; i < 5; ++i) config.pools[0].servers[i].weight = weights.at(i);
  fixture::Serving serving(config);
  const fixture::Octets query = fixture::to_wire({.name = kPool});
  std::map<unsigned, double> shown;
  std::map<unsigned, double> first;
  for (std::uint64_t number = 0; number < 100'000; ++number) {
    const auto octets = last_octets(now(serving), query, number, 2);
    ++first[octets[0]];
    for (const unsigned octet : octets) ++shown[octet];
  }
  EXPECT_LT(chi_squared(shown, config.pools[0], 200'000), 18.5);
  EXPECT_LT(chi_squared(first, config.pools[0], 100'000), 18.5) << "rotated: so is the first place";
}

TEST(WeightedOrder, TheFirstPlaceFollowsTheWeightAlsoInASlowStart) {
  config::Config config = pool_with(Order::Weighted, 0);
  fixture::Serving serving(config);
  serving.set(fixture::kPoolSet, {0, 1, 2, 3, 4}, health::Fallback::None, {{0, 1}, {3, 5}});
  serving.publish({fixture::kPoolSet});
  config.pools[0].servers[0].weight = 10;
  config.pools[0].servers[3].weight = 50;
  const fixture::Octets query = fixture::to_wire({.name = kPool});
  std::map<unsigned, double> first;
  for (std::uint64_t number = 0; number < 100'000; ++number) {
    ++first[last_octets(now(serving), query, number, 5)[0]];
  }
  EXPECT_LT(chi_squared(first, config.pools[0], 100'000), 18.5);
}

TEST(RandomOrder, EachServerIsFirstAsOftenAsTheOthersWhateverItsWeight) {
  config::Config config = pool_with(Order::Random, 0);
  config.pools[0].servers[2].weight = 1;
  fixture::Serving serving(config);
  config.pools[0].servers[2].weight = 100;
  const fixture::Octets query = fixture::to_wire({.name = kPool});
  std::map<unsigned, double> first;
  for (std::uint64_t number = 0; number < 100'000; ++number) {
    ++first[last_octets(now(serving), query, number, 5)[0]];
  }
  EXPECT_LT(chi_squared(first, config.pools[0], 100'000), 18.5);
}

TEST(RandomOrder, ComesFromTheSeed) {
  fixture::Serving serving(pool_with(Order::Random, 0));
  const auto answer = [&](std::uint64_t seed) {
    return ask(now(serving), {.name = kPool}, {.seed = seed}).answer;
  };
  EXPECT_EQ(answer(1), answer(1));
  std::set<std::vector<std::string>> answers;
  for (std::uint64_t seed = 0; seed < 100; ++seed) answers.insert(answer(seed));
  EXPECT_GT(answers.size(), 50U) << "of 120 orders: workers differ";
}

TEST(AnswerSize, AServerIsShownWithAllItsAddressesOrNone) {
  config::Config config = pool_with(Order::Random, 2, 3);
  config.pools[0].servers[1].addresses = {fixture::ip("10.99.0.2"), fixture::ip("10.99.1.2"),
                                          fixture::ip("10.99.2.2"), fixture::ip("fd99::2")};
  fixture::Serving serving(config);
  std::set<std::size_t> sizes;
  for (std::uint64_t query = 0; query < 200; ++query) {
    const Judged judged = ask(now(serving), {.name = kPool}, nth(query));
    ASSERT_TRUE(judged.parsed);
    std::set<std::string> servers;
    for (const std::string& record : judged.answer)
      servers.insert(record.substr(record.rfind('.')));
    ASSERT_THAT(servers, SizeIs(2));
    ASSERT_EQ(judged.answer.size(), servers.contains(".2") ? 4U : 2U);
    sizes.insert(judged.answer.size());
    ASSERT_THAT(ask(now(serving), {.name = kPool, .type = "AAAA"}, nth(query)).answer, SizeIs(2));
  }
  EXPECT_THAT(sizes, SizeIs(2));
}

// An answer of A records without any, because two others were chosen, would be a lie.
TEST(AnswerSize, ChoosesAmongTheServersThatHaveTheType) {
  config::Config config = pool_with(Order::Rotate, 2);
  for (const std::size_t six_only : {0U, 1U, 2U}) {
    config.pools[0].servers[six_only].addresses.erase(
        config.pools[0].servers[six_only].addresses.begin());
  }
  fixture::Serving serving(config);
  for (std::uint64_t query = 0; query < 50; ++query) {
    EXPECT_THAT(ask(now(serving), {.name = kPool}, nth(query)).answer, SizeIs(2));
    EXPECT_THAT(ask(now(serving), {.name = kPool, .type = "AAAA"}, nth(query)).answer, SizeIs(2));
  }
}

TEST(AnswerSize, FewerMembersAreAllShown) {
  fixture::Serving serving(pool_with(Order::Fixed, 3));
  serving.set(fixture::kPoolSet, {1, 4});
  serving.set(fixture::kSrvSet, {1, 4});
  serving.publish({fixture::kPoolSet, fixture::kSrvSet});
  EXPECT_THAT(ask(now(serving), {.name = kPool}).answer,
              ElementsAre(HasSubstr(" 10.99.0.2"), HasSubstr(" 10.99.0.5")));
  EXPECT_THAT(ask(now(serving), {.name = kSip, .type = "SRV"}).answer, SizeIs(2));
  serving.set(fixture::kPoolSet, {}, health::Fallback::NoData);
  serving.publish({fixture::kPoolSet});
  EXPECT_THAT(ask(now(serving), {.name = kPool}).answer, SizeIs(0));
}

TEST(AnswerSize, AWeightOfZeroIsShownWhenNoOtherIsLeft) {
  config::Config config = pool_with(Order::Rotate, 2);
  config.pools[0].servers[0].weight = 0;
  config.pools[0].servers[1].weight = 0;
  fixture::Serving serving(config);
  for (std::uint64_t query = 0; query < 100; ++query) {
    EXPECT_THAT(ask(now(serving), {.name = kPool}, nth(query)).answer,
                Each(testing::Not(testing::AnyOf(HasSubstr(".0.1"), HasSubstr(".0.2")))));
  }
  serving.set(fixture::kPoolSet, {0, 1, 2});
  serving.publish({fixture::kPoolSet});
  for (std::uint64_t query = 0; query < 100; ++query) {
    const auto answer = ask(now(serving), {.name = kPool}, nth(query)).answer;
    EXPECT_THAT(answer, SizeIs(2));
    EXPECT_THAT(answer, testing::Contains(HasSubstr(".0.3")));
  }
}

TEST(AnswerSize, TheLastResortIsShownWhole) {
  for (const Order order : {Order::Rotate, Order::Random, Order::Weighted}) {
    config::Config config = pool_with(order, 1);
    config.pools[0].when_all_held = config::WhenAllHeld::Addresses;
    config.pools[0].last_resort = {fixture::ip("192.0.2.1"), fixture::ip("192.0.2.2"),
                                   fixture::ip("192.0.2.3"), fixture::ip("2001:db8::1")};
    fixture::Serving serving(config);
    serving.set(fixture::kPoolSet, {}, health::Fallback::Addresses);
    serving.publish({fixture::kPoolSet});
    std::set<std::string> first;
    for (std::uint64_t query = 0; query < 50; ++query) {
      const Judged judged = ask(now(serving), {.name = kPool}, nth(query));
      ASSERT_THAT(judged.answer, SizeIs(3));
      first.insert(judged.answer.front());
      EXPECT_THAT(ask(now(serving), {.name = kPool, .type = "AAAA"}, nth(query)).answer, SizeIs(1));
    }
    EXPECT_THAT(first, SizeIs(3));
  }
}

TEST(Policies, WhatDoesNotFitIsTruncatedAndWholeOverTcp) {
  for (const Order order : {Order::Random, Order::Weighted}) {
    for (const unsigned size : {0U, 55U}) {
      fixture::Serving serving(pool_with(order, size, 60));
      const Judged udp = ask(now(serving), {.name = kPool, .payload = 512}, nth(3));
      EXPECT_TRUE(udp.tc());
      EXPECT_THAT(udp.answer, SizeIs(0));
      for (const std::string& name : {kPool, kSip}) {
        const Judged tcp =
            ask(now(serving), {.name = name, .type = name == kSip ? "SRV" : "A", .payload = 1232},
                nth(3, Transport::Tcp));
        EXPECT_TRUE(tcp.parsed && !tcp.tc());
        EXPECT_THAT(tcp.answer, SizeIs(size == 0 ? 60 : size));
      }
    }
  }
}

TEST(Policies, AnAdditionalSectionThatDoesNotFitIsCutWithoutTruncation) {
  fixture::Serving serving(pool_with(Order::Random, 8, 12));
  const Judged srv = ask(now(serving), {.name = kSip, .type = "SRV"}, nth(9));
  EXPECT_FALSE(srv.tc());
  EXPECT_THAT(srv.answer, SizeIs(8));
  EXPECT_LT(srv.additional.size(), 16U);
}

}  // namespace
}  // namespace sluice::dns
