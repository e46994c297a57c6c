#include <algorithm>
#include <utility>

#include "health/cluster/records.h"

namespace sluice::cluster {
namespace {

// Puts each record where it belongs.
struct Taking {
  Image& image;

  void operator()(Ignored) const {}
  void operator()(ForgottenResponder&&) const {}  // a listing has no deletions
  void operator()(ForgottenAgent&&) const {}
  void operator()(ClusterRecord&& cluster) const { image.cluster = std::move(cluster); }
  void operator()(EditionRecord&& edition) const {
    image.state.publication = edition.publication;
    image.state.generation = edition.generation;
    image.state.renewed = edition.renewed;
    image.state.stored.generation = edition.generation;
    image.others.emplace_back(std::move(edition));
  }
  void operator()(health::SharedPool&& pool) const { image.state.pools.push_back(std::move(pool)); }
  void operator()(health::SharedHost&& host) const { image.state.hosts.push_back(std::move(host)); }
  void operator()(health::AgentReport&& report) const {
    image.state.agents.push_back(std::move(report));
  }
  void operator()(health::Change&& change) const { std::visit(*this, std::move(change)); }
  template <class T>
  void operator()(T&& own) const {
    image.others.emplace_back(std::forward<T>(own));
  }

  void operator()(health::PutHold&& put) const {
    if (put.hold.expiry) raise_schedule(put.hold.expiry->id);
    image.state.stored.holds.push_back(std::move(put.hold));
  }
  void operator()(health::PutForce&& force) const {
    image.state.stored.forces.push_back(std::move(force));
  }
  void operator()(health::PutSchedule&& put) const {
    raise_schedule(put.plan.id);
    image.state.stored.schedules.push_back(std::move(put.plan));
  }
  void operator()(health::ReserveSchedules&& numbers) const { raise_schedule(numbers.up_to); }
  void operator()(health::PutSerialBase&& serial) const {
    image.state.stored.serial_bases.insert_or_assign(std::move(serial.zone), serial.base);
  }
  // History is no state, and what responders keep for themselves is not here.
  void operator()(health::AppendAudit&&) const {}
  void operator()(health::EraseHold&&) const {}
  void operator()(health::EraseSchedule&&) const {}
  void operator()(health::PutHealth&&) const {}
  void operator()(health::PutPoolTtl&&) const {}
  void operator()(health::PruneAudit&&) const {}
  void operator()(health::ReserveGenerations&&) const {}

  // A number that is in use was used, whatever `numbers` says.
  void raise_schedule(health::ScheduleId id) const {
    health::ScheduleId& highest = image.state.stored.schedule;
    highest = std::max(highest, id);
  }
};

}  // namespace

Image read_image(const std::vector<Change>& entries) {
  Image image;
  for (const Change& entry : entries) {
    if (!entry.value) continue;
    auto record = read_record(entry);
    if (record) {
      std::visit(Taking{image}, std::move(*record));
    } else {
      image.unreadable.push_back(std::move(record).error());
    }
  }
  return image;
}

std::vector<Write> writes_of(const health::SharedState& state) {
  std::vector<Write> writes;
  const auto add = [&](const health::Change& change) {
    if (auto write = write_of(change, {})) writes.push_back(std::move(*write));
  };
  const health::StoredState& stored = state.stored;
  add(health::ReserveSchedules{stored.schedule});
  for (const auto& [zone, base] : stored.serial_bases) add(health::PutSerialBase{zone, base});
  for (const health::Hold& hold : stored.holds) add(health::PutHold{hold});
  for (const health::PutForce& force : stored.forces) add(force);
  for (const health::PlannedDrain& plan : stored.schedules) add(health::PutSchedule{plan});
  for (const health::SharedHost& host : state.hosts) writes.push_back(write_of(host));
  for (const health::SharedPool& pool : state.pools) writes.push_back(write_of(pool));
  for (const health::AgentReport& report : state.agents) writes.push_back(write_of(report));
  EditionRecord edition;
  edition.publication = state.publication;
  edition.generation = state.generation;
  edition.renewed = state.renewed;
  writes.push_back(write_of(edition));
  return writes;
}

}  // namespace sluice::cluster
