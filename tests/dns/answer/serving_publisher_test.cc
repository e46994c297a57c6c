#include "dns/answer/serving_publisher.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/answer/extended_error.h"
#include "dns/answer/rendered.h"
#include "dns/zone/zone_set.h"
#include "tests/dns/answer/asking.h"

namespace sluice::dns {
namespace {

using fixture::ask;
using fixture::kPool;
using fixture::now;
using testing::HasSubstr;

std::string serial_of(const ServingSnapshot& snapshot, const std::string& zone) {
  const auto judged = ask(snapshot, {.name = zone, .type = "SOA"});
  return std::to_string(ldns_rdf2native_int32(
      ldns_rr_rdf(ldns_rr_list_rr(ldns_pkt_answer(judged.packet.get()), 0), 2)));
}

TEST(ServingPublisher, RefusesEverythingBeforeTheFirstPublication) {
  ServingPublisher publisher(fixture::zones_of(fixture::pool_config()));
  base::SnapshotReader<ServingSnapshot> reader(publisher.cell());
  EXPECT_EQ(reader.publication(), 1U);
  EXPECT_EQ(ask(reader.refresh(), {.name = kPool}).rcode, Rcode::Refused);
}

TEST(ServingPublisher, CountsPublicationsAndWakesAfterEach) {
  fixture::Serving serving(fixture::pool_config());
  std::vector<std::uint64_t> seen;
  serving.publisher().set_wake([&] { seen.push_back(serving.publisher().cell().publication()); });
  EXPECT_EQ(serving.publish({}), 3U);
  EXPECT_EQ(serving.publish({}), 4U);
  EXPECT_THAT(seen, testing::ElementsAre(3, 4));
}

TEST(ServingPublisher, SharesWhatDidNotChange) {
  fixture::Serving serving(fixture::pool_config());
  const ServingSnapshot before = now(serving);
  serving.set(fixture::kSrvSet, {0});
  serving.publish({fixture::kSrvSet});
  const ServingSnapshot after = now(serving);
  EXPECT_EQ(before.answer_sets.find(fixture::kPoolSet), after.answer_sets.find(fixture::kPoolSet));
  EXPECT_NE(before.answer_sets.find(fixture::kSrvSet), after.answer_sets.find(fixture::kSrvSet));
  EXPECT_EQ(before.zones, after.zones);
}

TEST(ServingPublisher, FeaturesShareTheOctetsOfTheirPoolWhileTheyAnswerAlike) {
  fixture::Serving serving(fixture::pool_config());
  const auto octets = [&](health::AnswerSetId id) { return now(serving).answer_sets.find(id); };
  EXPECT_EQ(octets(fixture::kPoolSet), octets(fixture::kFeatureSet));
  serving.set(fixture::kFeatureSet, {0, 1});
  serving.publish({fixture::kFeatureSet});
  EXPECT_NE(octets(fixture::kPoolSet), octets(fixture::kFeatureSet));
  serving.set(fixture::kPoolSet, {0, 1});
  serving.publish({fixture::kFeatureSet, fixture::kPoolSet});  // in any order
  EXPECT_EQ(octets(fixture::kPoolSet), octets(fixture::kFeatureSet));
  EXPECT_EQ(octets(fixture::kPoolSet)->records(RRType::A).size(), 2 * kARecord);
}

config::Config two_zones() {
  config::Config config = fixture::pool_config();
  config.zones.push_back({"other.example",
                          "@ 60 SOA ns hostmaster 100 1 1 1 30\n@ 60 NS ns\nns 60 A 192.0.2.1\n",
                          {}});
  config.pools[0].servers[2].fqdn = "fe03.other.example";
  return config;
}

TEST(ServingPublisher, RaisesTheSerialOfZonesThatChangedAndOfNoOther) {
  fixture::Serving serving(two_zones());
  EXPECT_EQ(serial_of(now(serving), kPool), "8") << "7 + generation 1";
  EXPECT_EQ(serial_of(now(serving), "other.example."), "101");
  serving.set(fixture::kPoolSet, {0});
  serving.publish({fixture::kPoolSet});
  EXPECT_EQ(serial_of(now(serving), kPool), "9");
  EXPECT_EQ(serial_of(now(serving), "other.example."), "101");
  serving.hide({2});
  serving.publish({}, {2});
  EXPECT_EQ(serial_of(now(serving), kPool), "9");
  EXPECT_EQ(serial_of(now(serving), "other.example."), "103") << "its host record went";
  EXPECT_THAT(ask(now(serving), {.name = "x.other.example."}).authority,
              testing::ElementsAre(HasSubstr(" 103 1 1 1 30")))
      << "negative answers show it too";
}

// Weights are published without a generation: no serial may move, not even that of a zone which
// changed longer ago than the newest generation.
TEST(ServingPublisher, OtherWeightsMoveNoSerial) {
  fixture::Serving serving(two_zones());
  serving.hide({2});
  serving.publish({}, {2});
  const std::vector<health::SlowStart> slow = {{1, 5}};
  for (const health::AnswerSetId id : {fixture::kPoolSet, fixture::kSrvSet}) {
    serving.set(id, {0, 1, 2}, health::Fallback::None, slow);
  }
  const ServingSnapshot before = now(serving);
  const std::uint64_t publication = serving.adjust({fixture::kSrvSet, fixture::kPoolSet});
  const ServingSnapshot& after = now(serving);
  EXPECT_EQ(publication, serving.publisher().cell().publication());
  EXPECT_EQ(after.generation, before.generation);
  EXPECT_EQ(serial_of(after, kPool), "8");
  EXPECT_EQ(serial_of(after, "other.example."), "102");
  EXPECT_THAT(ask(after, {.name = "_sip._tcp." + kPool, .type = "SRV"}).answer,
              testing::ElementsAre(HasSubstr(" 10 25600 "), HasSubstr(" 10 12800 "),
                                   HasSubstr(" 10 25600 ")));
  EXPECT_EQ(after.answer_sets.find(fixture::kPoolSet), before.answer_sets.find(fixture::kPoolSet))
      << "addresses without weights are not rendered again";
}

TEST(ServingPublisher, OtherWeightsReachAddressesThatAreChosenByThem) {
  config::Config config = fixture::pool_config();
  config.pools[0].answer_size = 1;
  fixture::Serving serving(config);
  const std::vector<health::SlowStart> slow = {{0, 1}};
  for (const health::AnswerSetId id : {fixture::kPoolSet, fixture::kFeatureSet}) {
    serving.set(id, {0, 1, 2}, health::Fallback::None, slow);
  }
  const auto octets = [&](health::AnswerSetId id) { return now(serving).answer_sets.find(id); };
  const RenderedSet* before = octets(fixture::kPoolSet);
  serving.adjust({fixture::kFeatureSet, fixture::kPoolSet});  // in any order
  EXPECT_NE(octets(fixture::kPoolSet), before);
  EXPECT_EQ(octets(fixture::kPoolSet), octets(fixture::kFeatureSet));
  serving.set(fixture::kFeatureSet, {0, 1, 2});
  serving.adjust({fixture::kFeatureSet});
  EXPECT_NE(octets(fixture::kPoolSet), octets(fixture::kFeatureSet)) << "not the same weights";
}

// A planned drain is published without a generation, too.
TEST(ServingPublisher, AnotherEndMovesNoSerialAndRendersWhatHasIt) {
  fixture::Serving serving(two_zones());
  serving.hide({2});
  serving.publish({}, {2});
  const ServingSnapshot before = now(serving);
  const base::MonoTime end{std::chrono::hours(1)};
  serving.cap(fixture::kPoolSet, end);
  serving.leave({{1, end}});
  serving.adjust({fixture::kPoolSet, fixture::kFeatureSet});
  const ServingSnapshot& after = now(serving);
  EXPECT_EQ(after.generation, before.generation);
  EXPECT_EQ(serial_of(after, kPool), "8");
  EXPECT_EQ(serial_of(after, "other.example."), "102");
  EXPECT_EQ(after.answer_sets[fixture::kPoolSet].not_after(), end);
  EXPECT_EQ(after.answer_sets.find(fixture::kFeatureSet),
            before.answer_sets.find(fixture::kFeatureSet))
      << "it has the end that it had, none";
  EXPECT_EQ(after.leaving_hosts, (std::vector<health::LeavingHost>{{1, end}}));
  EXPECT_EQ(after.hidden_hosts, before.hidden_hosts);
}

TEST(ServingPublisher, SerialsWrapAround) {  // RFC 1982
  std::string records = fixture::kRecords;
  records.replace(records.find(" 7 3600"), 7, " 4294967295 3600");
  fixture::Serving serving(fixture::pool_config(3, records));
  EXPECT_EQ(serial_of(now(serving), kPool), "0");
}

TEST(ServingPublisher, PreparedZonesComeWithTheNextPublication) {
  fixture::Serving serving(fixture::pool_config());
  config::Config reloaded =
      fixture::pool_config(3, std::string(fixture::kRecords) + "new 300 IN A 192.0.2.123\n");
  reloaded.pools[0].ttl = std::chrono::seconds(5);
  serving.publisher().prepare(fixture::zones_of(reloaded));
  serving.renew();
  EXPECT_EQ(ask(now(serving), {.name = "new." + kPool}).rcode, Rcode::NXDomain);
  serving.publish({});
  EXPECT_EQ(ask(now(serving), {.name = "new." + kPool}).answer.size(), 1U);
  EXPECT_THAT(ask(now(serving), {.name = kPool}).answer.front(), HasSubstr(" 5 IN A"));
  EXPECT_EQ(serial_of(now(serving), kPool), "9");
}

TEST(ServingPublisher, StaleAnswersOfPoolsSaySo) {
  fixture::Serving serving(fixture::pool_config());
  // Option 15 of OPT, code 3 (RFC 8914), and the words behind it.
  const auto explained = [&](const std::string& name) {
    const auto judged = ask(now(serving), {.name = name, .payload = 1232});
    const std::string octets(judged.octets.begin(), judged.octets.end());
    const std::size_t text = octets.find(kStaleAnswer.text);
    return text != octets.npos && octets[text - 1] == 3 && octets[text - 5] == 15;
  };
  EXPECT_FALSE(explained(kPool));
  const std::string serial = serial_of(now(serving), kPool);
  serving.publisher().mark_stale(true);
  EXPECT_TRUE(explained(kPool));
  EXPECT_FALSE(explained("web." + kPool)) << "what is static does not get old";
  EXPECT_EQ(serial_of(now(serving), kPool), serial);
  serving.publish({});
  EXPECT_TRUE(explained(kPool));
  serving.publisher().mark_stale(false);
  EXPECT_FALSE(explained(kPool));
}

TEST(ServingPublisher, KeepsReplacedSnapshotsUntilTheyAreServedOver) {
  fixture::Serving serving(fixture::pool_config());
  const std::uint64_t second = serving.publish({});
  const std::uint64_t third = serving.publish({});
  EXPECT_EQ(serving.publisher().retired(), 3U);
  serving.publisher().served(second);
  EXPECT_EQ(serving.publisher().retired(), 1U);
  serving.publisher().served(third);
  EXPECT_EQ(serving.publisher().retired(), 0U);
}

// Run by the thread sanitizer: workers answer while generations come and go, and no answer mixes
// two of them.
TEST(ServingPublisher, WorkersSeeWholeGenerations) {
  fixture::Serving serving(fixture::pool_config(8));
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> mixed = 0;
  std::atomic<std::uint64_t> served = 0;
  std::thread worker([&] {
    base::SnapshotReader<ServingSnapshot> reader(serving.publisher().cell());
    const fixture::Octets query = fixture::to_wire(fixture::Question{.name = kPool});
    fixture::Octets room(512);
    while (!stop) {
      const ServingSnapshot& snapshot = reader.refresh();
      served = reader.publication();
      const Answered answered = respond(snapshot, {}, query, room);
      // Even generations have two members, odd ones eight.
      const std::size_t members = snapshot.generation % 2 == 0 ? 2 : 8;
      if (answered.size != query.size() + members * kARecord) ++mixed;
    }
  });
  for (int round = 0; round < 500; ++round) {
    const bool few = (serving.generation() + 1) % 2 == 0;
    serving.set(fixture::kPoolSet, few ? std::vector<health::ServerId>{0, 1}
                                       : std::vector<health::ServerId>{0, 1, 2, 3, 4, 5, 6, 7});
    serving.publish({fixture::kPoolSet});
    serving.publisher().served(served);
  }
  stop = true;
  worker.join();
  EXPECT_EQ(mixed, 0U);
}

}  // namespace
}  // namespace sluice::dns
