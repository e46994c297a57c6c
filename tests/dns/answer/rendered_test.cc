#include "dns/answer/rendered.h"

#include <gtest/gtest.h>

#include "dns/wire/writer.h"
#include "tests/dns/answer/serving_fixture.h"

namespace sluice::dns {
namespace {

health::Members members(std::vector<health::ServerId> servers,
                        health::Fallback fallback = health::Fallback::None) {
  health::Members made;
  made.generation = 1;
  made.fallback = fallback;
  made.servers = std::move(servers);
  return made;
}

TEST(Render, GivesEachAddressAFixedPlace) {
  const auto zones = fixture::zones_of(fixture::pool_config());
  const auto set = render(*zones, fixture::kPoolSet, members({2, 0}));
  EXPECT_EQ(set->records(RRType::A).size(), 2 * kARecord);
  EXPECT_EQ(set->records(RRType::AAAA).size(), 2 * kAaaaRecord);
  EXPECT_EQ(set->records(RRType::A)[kARecord - 1], 3) << "in the order of the members";
  EXPECT_TRUE(set->records(RRType::SRV).empty());
  EXPECT_TRUE(set->targets().empty());
}

TEST(Render, WhateverBroughtTheMembersTheyAreNamed) {
  const auto zones = fixture::zones_of(fixture::pool_config());
  for (const auto fallback : {health::Fallback::NeverEmpty, health::Fallback::ServeHeld}) {
    const auto set = render(*zones, fixture::kPoolSet, members({1}, fallback));
    EXPECT_EQ(set->records(RRType::A).size(), kARecord);
  }
  const auto none = render(*zones, fixture::kPoolSet, members({}, health::Fallback::NoData));
  EXPECT_TRUE(none->records(RRType::A).empty());
  EXPECT_TRUE(none->records(RRType::AAAA).empty());
}

TEST(Render, SrvWeightIsTheServersTimes256) {
  config::Config config = fixture::pool_config();
  config.pools[0].servers[0].weight = 255;
  config.pools[0].servers[1].weight = 0;
  const auto zones = fixture::zones_of(config);
  const auto set = render(*zones, fixture::kSrvSet, members({0, 1}));
  ASSERT_EQ(set->targets().size(), 2U);
  const auto records = set->records(RRType::SRV);
  EXPECT_EQ(load_u16(records.data() + set->targets()[0].position - 4), 65'280);
  EXPECT_EQ(load_u16(records.data() + set->targets()[1].position - 4), 0);
  EXPECT_EQ(set->targets()[1].server, 1U);
  EXPECT_TRUE(set->records(RRType::A).empty());
}

TEST(Render, SrvTargetsBringTheirAddresses) {
  config::Config config = fixture::pool_config();
  config.pools[0].servers[1].fqdn = "fe02.elsewhere.example";  // not ours to tell
  const auto zones = fixture::zones_of(config);
  const auto set = render(*zones, fixture::kSrvSet, members({0, 1, 2}));
  EXPECT_EQ(set->additional().size(), 2 * (kARecord + kAaaaRecord));
  EXPECT_EQ(load_u16(set->additional().data()), kPointerMark | set->targets()[0].position);
  EXPECT_TRUE(set->records(RRType::AAAA).empty()) << "the octets behind are no answer";
  EXPECT_TRUE(render(*zones, fixture::kPoolSet, members({0, 1}))->additional().empty());
}

TEST(Render, ASlowStartShowsInSrvWeights) {
  config::Config config = fixture::pool_config();
  config.pools[0].servers[1].weight = 255;
  const auto zones = fixture::zones_of(config);
  health::Members warming = members({0, 1, 2});
  warming.slow_starts.edit() = {{0, 1}, {1, 9}};
  const auto set = render(*zones, fixture::kSrvSet, warming);
  const auto weight = [&](std::size_t index) {
    return load_u16(set->records(RRType::SRV).data() + set->targets()[index].position - 4);
  };
  EXPECT_EQ(weight(0), 2'560) << "a tenth of 100 x 256";
  EXPECT_EQ(weight(1), 58'752) << "nine tenths of 255 x 256";
  EXPECT_EQ(weight(2), 25'600);
}

TEST(Render, AChoiceIsMadeOnlyWhereThereIsOne) {
  config::Config config = fixture::pool_config();
  config::Pool& pool = config.pools[0];
  const auto chooses = [&](std::vector<health::ServerId> servers, RRType type = RRType::A) {
    const auto id = type == RRType::SRV ? fixture::kSrvSet : fixture::kPoolSet;
    return render(*fixture::zones_of(config), id, members(std::move(servers)))->choice(type) !=
           nullptr;
  };
  EXPECT_FALSE(chooses({0, 1, 2}));
  pool.order = config::Order::Weighted;
  EXPECT_TRUE(chooses({0, 1, 2}));
  EXPECT_TRUE(chooses({0, 1, 2}, RRType::SRV));
  EXPECT_FALSE(chooses({0})) << "one is always first";
  EXPECT_FALSE(chooses({}));
  pool.order = config::Order::Rotate;
  pool.answer_size = 2;
  EXPECT_TRUE(chooses({0, 1, 2}));
  EXPECT_TRUE(chooses({0, 1, 2}, RRType::AAAA));
  EXPECT_FALSE(chooses({0, 1})) << "all have room";
  pool.servers[2].addresses.erase(pool.servers[2].addresses.begin());
  EXPECT_FALSE(chooses({0, 1, 2})) << "two have an A record";
  EXPECT_TRUE(chooses({0, 1, 2}, RRType::AAAA));
}

}  // namespace
}  // namespace sluice::dns
