#include "tools/sluice-agent/sessions/port_sampler.h"

#include <array>

#include <gtest/gtest.h>

#include "tests/tools/sluice-agent/sessions/samples.h"

namespace sluice::agent {
namespace {

using samples::at;
using samples::kSip;
using std::chrono::seconds;

Connection connection(std::uint16_t port, std::uint64_t cookie) {
  return {port, *base::SocketAddress::parse("192.0.2.1@40000"), cookie};
}

constexpr std::array<std::uint16_t, 2> kSipPorts{5060, 5061};

TEST(PortSampler, KnowsNothingBeforeASampleAndAfterAFailedOne) {
  PortSampler sampler({5060});
  EXPECT_FALSE(sampler.count(kSip));
  sampler.take({}, at(1), {});
  ASSERT_TRUE(sampler.count(kSip));
  EXPECT_EQ(sampler.count(kSip)->connections, 0U);
  sampler.lose();
  EXPECT_FALSE(sampler.count(kSip));
}

TEST(PortSampler, AddsUpThePortsOfACounter) {
  PortSampler sampler({5060, 5061});
  sampler.take(std::array{connection(5060, 1), connection(5061, 2), connection(5061, 3)}, at(1),
               {});
  EXPECT_EQ(sampler.count(kSip)->connections, 1U);
  EXPECT_EQ(sampler.count(kSipPorts)->connections, 3U);
  sampler.take({}, at(2), {});
  EXPECT_EQ(sampler.count(kSipPorts)->connections, 0U);
}

TEST(PortSampler, TellsANewConnectionFromOneThatWasThere) {
  PortSampler sampler({5060, 5061});
  sampler.take(std::array{connection(5060, 1)}, at(1), {});
  EXPECT_FALSE(sampler.count(kSip)->newest) << "what the first sample shows may be old";
  sampler.take(std::array{connection(5060, 1)}, at(3), {});
  EXPECT_FALSE(sampler.count(kSip)->newest);
  // One goes and another comes: the number alone would not show it.
  sampler.take(std::array{connection(5060, 2)}, at(5), {});
  EXPECT_EQ(sampler.count(kSip)->newest, at(5));
  sampler.take({}, at(7), {});
  EXPECT_EQ(sampler.count(kSip)->newest, at(5)) << "an end is no beginning";
  EXPECT_EQ(sampler.count(kSipPorts)->newest, at(5));
}

TEST(PortSampler, WhatIsThereAfterAFailedSampleMayBeOld) {
  PortSampler sampler({5060});
  sampler.take({}, at(1), {});
  sampler.lose();
  sampler.take(std::array{connection(5060, 1)}, at(600), {});
  EXPECT_FALSE(sampler.count(kSip)->newest);
  sampler.take(std::array{connection(5060, 1), connection(5060, 2)}, at(602), {});
  EXPECT_EQ(sampler.count(kSip)->newest, at(602));
}

TEST(PortSampler, CountsNoConnectionOfTheAgentsOwnChecks) {
  PortSampler sampler({5060});
  sampler.take({}, at(1), {});
  Connection own = connection(5060, 1);
  own.remote = *base::SocketAddress::parse("127.0.0.1@50123");
  sampler.take(std::array{own, connection(5060, 2)}, at(2), std::array{own.remote});
  EXPECT_EQ(sampler.count(kSip)->connections, 1U);
  sampler.take(std::array{own}, at(3), std::array{own.remote});
  EXPECT_EQ(sampler.count(kSip)->connections, 0U);
  EXPECT_EQ(sampler.count(kSip)->newest, at(2));
}

}  // namespace
}  // namespace sluice::agent
