#include "tools/sluice-agent/sessions/flow_counts.h"

#include <array>

#include <gtest/gtest.h>

#include "tests/tools/sluice-agent/sessions/samples.h"

namespace sluice::agent {
namespace {

using samples::at;
using samples::kSip;
using std::chrono::seconds;

Flow flow(std::uint32_t id, const char* to = "192.0.2.1@5060", bool answered = true) {
  return {*base::SocketAddress::parse("198.51.100.7@40000"), *base::SocketAddress::parse(to), id,
          answered};
}

constexpr std::array<std::uint16_t, 2> kBoth{5060, 5062};

struct Flows : testing::Test {
  FlowCounts counts;

  static FlowList list_of(const std::vector<Flow>& flows) {
    FlowList list({5062, 5060},
                  {*base::Prefix::parse("192.0.2.1/32"), *base::Prefix::parse("127.0.0.0/8"),
                   *base::Prefix::parse("2001:db8::1/128")});
    for (const Flow& each : flows) list.add(each);
    return list;
  }
  void list(int second, const std::vector<Flow>& flows) {
    counts.take(list_of(flows).take(), at(second));
  }
  std::uint64_t sip() const { return counts.count(kSip)->flows; }
};

TEST_F(Flows, AreKnownWhileThereIsAWholeList) {
  EXPECT_FALSE(counts.count(kSip));
  list(1, {});
  EXPECT_EQ(sip(), 0U);
  counts.lose();
  EXPECT_FALSE(counts.count(kSip));
}

TEST_F(Flows, CountOnThePortsOfACounter) {
  list(1, {flow(1), flow(2), flow(3, "192.0.2.1@5062"), flow(4, "192.0.2.1@53")});
  EXPECT_EQ(sip(), 2U);
  EXPECT_EQ(counts.count(kBoth)->flows, 3U);
  list(2, {});
  EXPECT_EQ(counts.count(kBoth)->flows, 0U);
}

TEST_F(Flows, OfTheAgentsOwnChecksAreNobodysSessionsButShowThatTheKernelTracks) {
  FlowList list({5060}, {*base::Prefix::parse("192.0.2.1/32")},
                {*base::SocketAddress::parse("198.51.100.7@40000")});
  list.add(flow(1));
  EXPECT_TRUE(list.any(true));
  EXPECT_TRUE(list.take().empty());
}

TEST_F(Flows, CountAtAddressesOfThisHostAlone) {
  list(1, {flow(1, "127.9.9.9@5060"), flow(2, "2001:db8::1@5060")});
  EXPECT_EQ(sip(), 2U);
  list(2, {flow(1, "192.0.2.2@5060"), flow(2, "2001:db8::2@5060")});
  EXPECT_EQ(sip(), 0U) << "they were forwarded, or are ours to others";
}

TEST_F(Flows, DoNotCountUntilTheyAreAnswered) {
  list(1, {flow(1, "192.0.2.1@5060", false)});
  EXPECT_EQ(sip(), 0U);
  list(2, {flow(1)});
  EXPECT_EQ(sip(), 1U);
  EXPECT_EQ(counts.count(kSip)->newest, at(2)) << "its session began with the answer";
}

TEST_F(Flows, CountOnceThoughTheListHasThemTwice) {
  list(1, {flow(1), flow(2), flow(1)});
  EXPECT_EQ(sip(), 2U);
}

TEST_F(Flows, TellANewOneFromOneThatWasThere) {
  list(1, {flow(1)});
  EXPECT_FALSE(counts.count(kSip)->newest) << "what the first list shows may be old";
  list(3, {flow(1)});
  EXPECT_FALSE(counts.count(kSip)->newest);
  // One goes and another comes: the number alone would not show it.
  list(5, {flow(2)});
  EXPECT_EQ(counts.count(kSip)->newest, at(5));
  list(7, {});
  EXPECT_EQ(counts.count(kSip)->newest, at(5)) << "an end is no beginning";
  EXPECT_EQ(counts.count(kBoth)->newest, at(5));
  counts.lose();
  list(600, {flow(3)});
  EXPECT_EQ(counts.count(kSip)->newest, at(5)) << "when it came nobody knows";
}

TEST_F(Flows, OfEachFamilyAreSeenApart) {
  const FlowList list = list_of({flow(1), flow(2, "2001:db8::9@5060")});
  EXPECT_TRUE(list.any(true));
  EXPECT_FALSE(list.any(false)) << "it is not this host's";
  EXPECT_EQ(list.size(), 1U);
}

}  // namespace
}  // namespace sluice::agent
