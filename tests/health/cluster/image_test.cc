#include <algorithm>

#include <gmock/gmock.h>

#include "health/cluster/records.h"
#include "tests/health/cluster/record_samples.h"

namespace sluice::cluster {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::VariantWith;

health::SharedState full_state() {
  health::SharedState state;
  state.publication = 40;
  state.generation = state.stored.generation = 17;
  state.stored.holds = {plain_hold("fe01.pool01.contoso.example"), full_hold()};
  state.stored.forces = {
      {"fe01.pool01.contoso.example", "front-end", health::Health::Up, "operations", wall(kNoon)}};
  state.stored.schedules = {full_plan()};
  state.stored.schedule = 64;
  state.stored.serial_bases = {{"contoso.example", 7}, {"fabrikam.example", 8}};
  state.pools = {full_pool()};
  state.hosts = {{"fe01.pool01.contoso.example", true, 7}};
  state.agents = {full_report()};
  return state;
}

std::vector<Change> listed(const std::vector<Write>& writes) {
  std::vector<Change> entries;
  for (const Write& write : writes) entries.push_back({write.key, write.value, 5, 0});
  std::ranges::sort(entries, {}, &Change::key);
  return entries;
}

TEST(Image, IsWhatWasWritten) {
  const health::SharedState state = full_state();
  const Image image = read_image(listed(writes_of(state)));
  EXPECT_THAT(image.unreadable, IsEmpty());
  EXPECT_FALSE(image.cluster);
  EXPECT_THAT(image.others,
              ElementsAre(VariantWith<EditionRecord>(EditionRecord{40, 17, 0, "", "", 0})));
  EXPECT_EQ(image.state.publication, 40U);
  EXPECT_EQ(image.state.generation, 17U);
  EXPECT_EQ(image.state.stored.generation, 17U);
  EXPECT_EQ(image.state.stored.schedule, 64U);
  EXPECT_EQ(image.state.stored.holds, state.stored.holds);
  EXPECT_EQ(image.state.stored.schedules, state.stored.schedules);
  EXPECT_EQ(image.state.stored.serial_bases, state.stored.serial_bases);
  EXPECT_EQ(image.state.stored.forces.size(), 1U);
  EXPECT_EQ(image.state.pools, state.pools);
  EXPECT_EQ(image.state.hosts, state.hosts);
  EXPECT_EQ(image.state.agents, state.agents);
  EXPECT_EQ(writes_of(image.state), writes_of(state));
}

TEST(Image, EndsWithTheEdition) {
  const auto writes = writes_of(full_state());
  EXPECT_EQ(writes.back().key, "edition");
  EXPECT_EQ(std::ranges::count(writes, "edition", &Write::key), 1);
}

TEST(Image, HasTheRespondersAndTheClusterBesideTheState) {
  const ClusterRecord cluster{"00112233445566778899aabbccddeeff", wall(kNoon)};
  const AliveRecord alive{"ns1", "1"};
  const ServedRecord served{"ns1", "1", 2, 1, wall(kNoon)};
  const TurnRecord turn{"ns1", "1"};
  const Image image = read_image(listed({write_of(cluster), write_of(full_responder()),
                                         write_of(alive), write_of(served), write_of(turn)}));
  EXPECT_EQ(image.cluster, cluster);
  EXPECT_THAT(
      image.others,
      ElementsAre(VariantWith<AliveRecord>(alive), VariantWith<ResponderRecord>(full_responder()),
                  VariantWith<ServedRecord>(served), VariantWith<TurnRecord>(turn)));
}

TEST(Image, TakesTheRestWhenSomethingCanNotBeRead) {
  std::vector<Change> entries = listed(writes_of(full_state()));
  entries.push_back({"holds/nobody", "{}", 1, 0});
  entries.push_back({"zebra", "anything", 1, 0});
  entries.push_back({"turn", "{}", 1, 0});
  const Image image = read_image(entries);
  EXPECT_THAT(image.unreadable, ElementsAre(HasSubstr("holds/nobody"), HasSubstr("turn: ")));
  EXPECT_EQ(image.state.stored.holds, full_state().stored.holds);
}

TEST(Image, NeverHasAScheduleWhoseNumberIsFree) {
  const auto write = write_of(health::Change(health::PutSchedule{full_plan()}), "");
  EXPECT_EQ(read_image(listed({*write})).state.stored.schedule, full_plan().id);
  const auto hold = write_of(health::Change(health::PutHold{full_hold()}), "");
  EXPECT_EQ(read_image(listed({*hold})).state.stored.schedule, full_hold().expiry->id);
}

TEST(Image, HasNoHistory) {
  const auto write = write_of(health::Change(health::AppendAudit{full_event()}), "1-1");
  const Image image = read_image(listed({*write}));
  EXPECT_THAT(image.others, IsEmpty());
  EXPECT_THAT(image.unreadable, IsEmpty());
}

}  // namespace
}  // namespace sluice::cluster
