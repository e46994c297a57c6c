#include <algorithm>

#include <gmock/gmock.h>

#include "tools/sluicectl/import/contents.h"

namespace sluice::ctl {
namespace {

using cluster::Write;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kServer = "fe01.pool01.contoso.example";

base::WallTime wall(std::int64_t milliseconds) {
  return base::WallTime(base::Duration(milliseconds));
}

health::Event event(std::int64_t at, std::string text) {
  health::Event one;
  one.at = wall(at);
  one.server = kServer;
  one.text = std::move(text);
  return one;
}

health::StoredState stored() {
  health::StoredState state;
  state.generation = 1'024;
  state.schedule = 64;
  health::Hold hold;
  hold.key = {kServer, "", health::Origin::Operator};
  hold.since = wall(1);
  hold.horizons = {{"front-end", {wall(2), {}, 7}}};
  state.holds = {hold};
  state.forces = {{kServer, "front-end", health::Health::Up, "operations", wall(3)}};
  health::PlannedDrain plan;
  plan.id = 64;
  plan.server = kServer;
  plan.capped_since = base::Moment{wall(4), {}, 7};
  state.schedules = {plan};
  state.health = {{kServer, "front-end", health::Health::Down}};
  state.pool_ttls = {{"pool01.contoso.example", std::chrono::seconds(30), {}}};
  state.serial_bases = {{"contoso.example", 7}};
  return state;
}

// As etcd lists what was written.
std::vector<cluster::Change> listed(std::vector<Write> writes) {
  std::vector<cluster::Change> entries;
  for (Write& write : writes) entries.push_back({write.key, write.value, 1, 0});
  std::ranges::sort(entries, {}, &cluster::Change::key);
  return entries;
}

TEST(ImportContents, LeaveOutWhatIsEachRespondersOwn) {
  const Contents contents = contents_of(stored(), {});
  EXPECT_EQ(contents.publication, 1U);
  EXPECT_EQ(contents.state.generation, 1'025U) << "one that was never used";
  EXPECT_THAT(contents.state.health, IsEmpty());
  EXPECT_THAT(contents.state.pool_ttls, IsEmpty());
  EXPECT_THAT(contents.state.holds.at(0).horizons, IsEmpty());
  EXPECT_FALSE(contents.state.schedules.at(0).capped_since);
}

TEST(ImportContents, AreTheSameThereAndBack) {
  const Contents there =
      contents_of(stored(), {{event(1, "first"), event(1, "second"), event(0, "earlier")}, 3});
  const Found found = contents_of(listed(writes_of(there)), kMostAudit);
  const Contents& back = found.contents;
  EXPECT_EQ(back.publication, 1U);
  EXPECT_EQ(back.state.generation, 1'025U);
  EXPECT_EQ(back.state.schedule, 64U);
  EXPECT_EQ(back.state.holds, there.state.holds);
  EXPECT_EQ(back.state.schedules, there.state.schedules);
  EXPECT_EQ(back.state.serial_bases, there.state.serial_bases);
  ASSERT_THAT(back.state.forces, SizeIs(1));
  EXPECT_EQ(back.state.forces[0].health, health::Health::Up);
  ASSERT_THAT(back.audit, SizeIs(3));
  EXPECT_EQ(back.audit[0].text, "earlier");
  EXPECT_EQ(back.audit[1].text, "first");
  EXPECT_EQ(back.audit[2].text, "second");
  EXPECT_THAT(found.alive, IsEmpty());
  EXPECT_FALSE(found.image.cluster);
}

TEST(ImportContents, EndWithTheEdition) {
  const auto writes = writes_of(contents_of(stored(), {{event(1, "x")}, 1}));
  EXPECT_EQ(writes.back().key, "edition");
  EXPECT_TRUE(std::ranges::none_of(writes, [](const Write& w) { return w.key == "cluster"; }));
}

TEST(ImportContents, CountWhatOfTheAuditIsLeftOut) {
  health::Event damaged = event(1, "this entry of the audit is damaged");
  damaged.type = health::EventType::Store;
  const Contents contents = contents_of(stored(), {{damaged, event(2, "x")}, 100});
  EXPECT_THAT(contents.audit, SizeIs(1));
  EXPECT_EQ(contents.audit_left_out, 99U);

  std::vector<health::Event> many;
  for (std::size_t i = 0; i < kMostAudit; ++i) many.push_back(event(static_cast<int>(i), "x"));
  auto writes = writes_of(contents_of(stored(), {many, kMostAudit}));
  health::Event newest = event(99'999, "newest");
  writes.push_back(*cluster::write_of(health::Change(health::AppendAudit{newest}), "1-1"));
  const Contents back = contents_of(listed(std::move(writes)), kMostAudit).contents;
  EXPECT_THAT(back.audit, SizeIs(kMostAudit));
  EXPECT_EQ(back.audit_left_out, 1U);
  EXPECT_EQ(back.audit.front().at, wall(1));
  EXPECT_EQ(back.audit.back().text, "newest");
}

TEST(ImportContents, TellWhoIsAliveAndWhatAgentsLastSaid) {
  health::AgentReport report;
  report.server = kServer;
  report.responder = "ns1";
  report.run = "1";
  health::ReportedService service;
  service.health = health::Health::Stopped;
  report.services.emplace("front-end", service);
  const Found found =
      contents_of(listed({cluster::write_of(cluster::AliveRecord{"ns1", "1"}),
                          cluster::write_of(report),
                          cluster::write_of(cluster::ClusterRecord{std::string(32, 'a'), wall(1)}),
                          {"holds/nobody", "{}", 0}}),
                  kMostAudit);
  EXPECT_THAT(found.alive, ElementsAre("ns1"));
  ASSERT_THAT(found.contents.state.health, SizeIs(1));
  EXPECT_EQ(found.contents.state.health[0].health, health::Health::Stopped);
  EXPECT_THAT(found.image.unreadable, SizeIs(1));
  EXPECT_TRUE(found.image.cluster);
}

TEST(ImportContents, OfACopyAreWithoutWhatGoesWithALife) {
  const std::vector<cluster::Change> copy{{"alive/ns1", "{}", 3, 17},     {"cluster", "{}", 1, 0},
                                          {"edition", "{}", 9, 0},        {"holds/a", "{}", 4, 0},
                                          {"responders/ns1", "{}", 2, 0}, {"turn", "{}", 2, 0}};
  EXPECT_THAT(writes_of(copy),
              ElementsAre(Write{"holds/a", "{}", 0}, Write{"responders/ns1", "{}", 0},
                          Write{"edition", "{}", 0}));
}

// What the changes do to a store that has `before`, as far as it is told here.
TEST(ImportContents, TakeThePlaceOfWhatAStoreHas) {
  health::StoredState before;
  health::Hold other;
  other.key = {"fe02.pool01.contoso.example", "", health::Origin::Host};
  before.holds = {other};
  before.forces = {{"fe02.pool01.contoso.example", "front-end", health::Health::Down, "x", {}}};
  before.schedules.emplace_back().id = 3;
  const Contents contents = contents_of(stored(), {{event(1, "known"), event(2, "new")}, 2});
  const auto changes = changes_of(contents, before, {event(1, "known")});

  std::vector<std::string> kinds;
  for (const health::Change& change : changes) {
    if (const auto* gone = std::get_if<health::EraseHold>(&change)) {
      EXPECT_EQ(gone->key, other.key);
      kinds.emplace_back("erase hold");
    } else if (const auto* force = std::get_if<health::PutForce>(&change)) {
      kinds.emplace_back(force->health ? "force" : "unforce");
    } else if (const auto* schedule = std::get_if<health::EraseSchedule>(&change)) {
      EXPECT_EQ(schedule->id, 3U);
      kinds.emplace_back("erase schedule");
    } else if (const auto* audit = std::get_if<health::AppendAudit>(&change)) {
      kinds.push_back("audit " + audit->event.text);
    } else if (const auto* numbers = std::get_if<health::ReserveGenerations>(&change)) {
      EXPECT_EQ(numbers->up_to, 1'025U);
    } else if (std::holds_alternative<health::PutHold>(change)) {
      kinds.emplace_back("hold");
    } else if (std::holds_alternative<health::PutSchedule>(change)) {
      kinds.emplace_back("schedule");
    } else if (std::holds_alternative<health::PutSerialBase>(change)) {
      kinds.emplace_back("serial");
    }
  }
  EXPECT_THAT(kinds, ElementsAre("erase hold", "unforce", "erase schedule", "serial", "hold",
                                 "force", "schedule", "audit new"));
}

TEST(ImportContents, OfACopyHaveNothingInTheWayThatRespondersWroteWhileTheRestWasDeleted) {
  const std::vector<cluster::Change> remains{
      {"agents/fe01.example", "", 7, 0}, {"alive/ns1", "", 7, 9}, {"served/ns1", "", 7, 0}};
  EXPECT_THAT(in_the_way(remains), IsEmpty());
  std::vector<cluster::Change> more = remains;
  more.push_back({"holds/fe01.example/-/operator", "", 7, 0});
  EXPECT_THAT(in_the_way(more), SizeIs(1));
  more.push_back({"cluster", "", 7, 0});
  EXPECT_THAT(in_the_way(more), SizeIs(5)) << "a cluster is in the way with all that it has";
}

TEST(ImportContents, AreCountedInWords) {
  EXPECT_EQ(counted(health::StoredState{}), "");
  EXPECT_EQ(counted(stored()), "1 hold, 1 forced health, 1 planned drain");
  EXPECT_EQ(counted(std::vector<cluster::Change>{}), "");
  EXPECT_EQ(counted(listed({{"cluster", "", 0}, {"holds/a", "", 0}, {"holds/b\n", "", 0}})),
            "1 below cluster, 2 below holds");
}

TEST(ImportContents, FitIntoTransactions) {
  EXPECT_THAT(in_transactions({}), IsEmpty());
  std::vector<Write> writes;
  for (int i = 0; i < 250; ++i) writes.push_back({std::to_string(i), "v", 0});
  auto transactions = in_transactions(writes);
  ASSERT_THAT(transactions, SizeIs(3));
  EXPECT_THAT(transactions[0], SizeIs(cluster::Transaction::kMostWrites));
  EXPECT_EQ(transactions[2].back().key, "249");
  // Some are as large as a transaction.
  transactions = in_transactions({{"a", std::string(600'000, 'x'), 0},
                                  {"b", "1", 0},
                                  {"c", std::string(524'000, 'x'), 0},
                                  {"d", std::string(500'000, 'x'), 0}});
  ASSERT_THAT(transactions, SizeIs(3));
  EXPECT_EQ(transactions[1].back().key, "c");
}

}  // namespace
}  // namespace sluice::ctl
