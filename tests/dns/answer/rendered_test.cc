#include "dns/answer/rendered.h"

#include <gtest/gtest.h>

#include "dns/wire/writer.h"
#include "tests/dns/answer/serving_fixture.h"

namespace sluice::dns {
namespace {

health::Members members(std::vector<health::ServerId> servers,
                        health::Fallback fallback = health::Fallback::None) {
  return {.generation = 1, .fallback = fallback, .servers = std::move(servers)};
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

}  // namespace
}  // namespace sluice::dns
