#include "dns/answer/answer_set_ledger.h"

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dns/answer/serving_fixture.h"

namespace sluice::dns {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const std::string kOwner = "pool01.contoso.example";

using Figures = std::vector<std::pair<std::string, std::uint64_t>>;

Figures read(const AnswerSetLedger& ledger) {
  Figures figures;
  for (auto& [owner, queries] : ledger.read()) figures.emplace_back(owner, queries);
  return figures;
}

// The fixture's pool with these features, and so with other numbers of answer sets.
std::shared_ptr<const ZoneSet> zones_with(const std::vector<std::string>& features) {
  config::Config config = fixture::pool_config(1);
  config.pools[0].features.clear();
  for (const std::string& name : features) config.pools[0].features.push_back({name, "attendant"});
  return fixture::zones_of(config);
}
// The number of the feature that is at this place in the list.
health::AnswerSetId feature(std::size_t place) {
  return static_cast<health::AnswerSetId>(2 + place);  // behind the pool's and the SRV set
}

TEST(AnswerSetLedger, ShowsWhatWasAskedByOwner) {
  AnswerSetLedger ledger(2);
  EXPECT_THAT(read(ledger), IsEmpty());
  const auto counts = ledger.open(zones_with({"attendant", "call-park"}));
  EXPECT_THAT(read(ledger), IsEmpty());
  counts->row(0)[fixture::kPoolSet].add();
  counts->row(1)[fixture::kPoolSet].add(2);
  counts->row(1)[fixture::kSrvSet].add(5);
  counts->row(0)[feature(1)].add(7);
  EXPECT_THAT(read(ledger), ElementsAre(Pair(kOwner, 3), Pair("_sip._tcp." + kOwner, 5),
                                        Pair("call-park." + kOwner, 7)));
}

TEST(AnswerSetLedger, FollowsNamesOverReloads) {
  AnswerSetLedger ledger(1);
  const auto first = ledger.open(zones_with({"a", "b"}));
  first->row(0)[feature(0)].add(1);
  first->row(0)[feature(1)].add(2);
  const auto second = ledger.open(zones_with({"new", "b", "a"}));
  second->row(0)[feature(1)].add(10);
  const Figures both = {{"b." + kOwner, 12}, {"a." + kOwner, 1}};
  EXPECT_EQ(read(ledger), both) << "while some worker answers by the old one";
  first->row(0)[feature(1)].add(100);
  ledger.close_before(*second);
  const Figures closed = {{"b." + kOwner, 112}, {"a." + kOwner, 1}};
  EXPECT_EQ(read(ledger), closed);
  EXPECT_EQ(first.use_count(), 1) << "the ledger let go";
  ledger.close_before(*second);
  EXPECT_EQ(read(ledger), closed) << "carried once";
}

TEST(AnswerSetLedger, CarriesOverSeveralThatAreReplacedAtOnce) {
  AnswerSetLedger ledger(1);
  const auto first = ledger.open(zones_with({"a"}));
  const auto second = ledger.open(zones_with({"b"}));
  const auto third = ledger.open(zones_with({"b", "a"}));
  first->row(0)[feature(0)].add(1);
  second->row(0)[feature(0)].add(2);
  third->row(0)[feature(1)].add(4);
  const Figures all = {{"b." + kOwner, 2}, {"a." + kOwner, 5}};
  EXPECT_EQ(read(ledger), all);
  ledger.close_before(*second);
  EXPECT_EQ(read(ledger), all);
  ledger.close_before(*third);
  EXPECT_EQ(read(ledger), all);
  const auto fourth = ledger.open(zones_with({"a", "b"}));
  ledger.close_before(*fourth);
  EXPECT_THAT(read(ledger), UnorderedElementsAre(Pair("b." + kOwner, 2), Pair("a." + kOwner, 5)));
}

TEST(AnswerSetLedger, ANameThatReturnsGoesOnWhereItWas) {
  AnswerSetLedger ledger(1);
  const auto first = ledger.open(zones_with({"a", "b"}));
  first->row(0)[feature(0)].add(3);
  const auto second = ledger.open(zones_with({"b"}));
  EXPECT_THAT(read(ledger), IsEmpty()) << "it is not served";
  ledger.close_before(*second);
  EXPECT_THAT(read(ledger), IsEmpty());
  const auto third = ledger.open(zones_with({"b", "a"}));
  third->row(0)[feature(1)].add(1);
  EXPECT_THAT(read(ledger), ElementsAre(Pair("a." + kOwner, 4)));
  ledger.close_before(*third);
  EXPECT_THAT(read(ledger), ElementsAre(Pair("a." + kOwner, 4)));
}

TEST(AnswerSetLedger, CountsTheSetsOfOneOwnerTogether) {
  config::Config config = fixture::pool_config(1);
  config.pools[0].features.push_back({"_sip._tcp", "attendant"});  // SRV, and A and AAAA
  AnswerSetLedger ledger(1);
  const auto counts = ledger.open(fixture::zones_of(config));
  counts->row(0)[fixture::kSrvSet].add(3);
  counts->row(0)[3].add(4);
  EXPECT_THAT(read(ledger), ElementsAre(Pair("_sip._tcp." + kOwner, 7)));
  const auto reloaded = ledger.open(zones_with({}));
  EXPECT_THAT(read(ledger), ElementsAre(Pair("_sip._tcp." + kOwner, 7)));
  ledger.close_before(*reloaded);
  EXPECT_THAT(read(ledger), ElementsAre(Pair("_sip._tcp." + kOwner, 7)));
}

TEST(AnswerSetLedger, WithoutWorkersNothingIsCounted) {
  AnswerSetLedger ledger(0);
  EXPECT_TRUE(ledger.open(zones_with({}))->row(0).empty());
  EXPECT_THAT(read(ledger), IsEmpty());
}

// Run by the thread sanitizer: a worker counts and the page is read while reloads come.
TEST(AnswerSetLedger, NoFigureShrinksWhileZonesAreReplaced) {
  AnswerSetLedger ledger(1);
  std::atomic<AnswerSetCounts*> current = nullptr;
  std::atomic<AnswerSetCounts*> seen = nullptr;
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> shrunk = 0;
  std::uint64_t counted = 0;
  std::vector<std::shared_ptr<AnswerSetCounts>> kept = {ledger.open(zones_with({"a"}))};
  seen = current = kept.back().get();
  std::thread worker([&] {
    while (!stop) {
      AnswerSetCounts* const mine = current;
      seen = mine;
      for (int i = 0; i < 50; ++i, ++counted) mine->row(0)[fixture::kPoolSet].add();
    }
  });
  std::thread page([&] {
    std::uint64_t last = 0;
    while (!stop) {
      const Figures figures = read(ledger);
      const std::uint64_t now = figures.empty() ? 0 : figures.front().second;
      if (now < last) ++shrunk;
      last = now;
    }
  });
  for (int reload = 0; reload < 100; ++reload) {
    const auto zones = zones_with(reload % 2 == 0 ? std::vector<std::string>{"b", "a"}
                                                  : std::vector<std::string>{});
    kept.push_back(ledger.open(zones));
    current = kept.back().get();
    while (seen != current) std::this_thread::yield();
    ledger.close_before(*kept.back());
  }
  stop = true;
  worker.join();
  page.join();
  EXPECT_EQ(shrunk, 0U);
  EXPECT_THAT(read(ledger), ElementsAre(Pair(kOwner, counted)));
}

}  // namespace
}  // namespace sluice::dns
