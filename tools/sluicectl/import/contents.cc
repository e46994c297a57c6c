#include "tools/sluicectl/import/contents.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <variant>

#include "tools/sluicectl/render/text.h"

namespace sluice::ctl {
namespace {

using cluster::Write;
using health::Change;

// etcd takes requests of 1.5 MB, base64 makes four octets of three, and there is more in them.
constexpr std::size_t kMostOctets = 512 * 1'024;

void add_health(const health::AgentReport& report, health::StoredState& state) {
  for (const auto& [service, reported] : report.services) {
    state.health.push_back({report.server, service, reported.health});
  }
}

// The same entry has the same text, wherever it is kept.
std::string identity(const health::Event& event) {
  const auto write = cluster::write_of(Change(health::AppendAudit{event}), "");
  return write ? write->key + *write->value : std::string();
}

void add_count(std::vector<std::string>& parts, std::size_t count, const char* one,
               const char* many) {
  if (count > 0) parts.push_back(std::to_string(count) + " " + (count == 1 ? one : many));
}

}  // namespace

Contents contents_of(health::StoredState stored, health::RecentAudit audit) {
  Contents contents;
  contents.publication = 1;
  contents.state = std::move(stored);
  contents.state.generation += 1;
  contents.state.health.clear();
  contents.state.pool_ttls.clear();
  for (health::Hold& hold : contents.state.holds) hold.horizons.clear();
  for (health::PlannedDrain& plan : contents.state.schedules) plan.capped_since.reset();
  for (health::Event& event : audit.events) {
    if (health::is_durable(event.type)) contents.audit.push_back(std::move(event));
  }
  contents.audit_left_out = audit.total - contents.audit.size();
  return contents;
}

Found contents_of(const std::vector<cluster::Change>& entries, std::size_t most_audit) {
  Found found;
  found.image = cluster::read_image(entries);
  Contents& contents = found.contents;
  contents.state = found.image.state.stored;
  contents.publication = found.image.state.publication;
  for (const health::AgentReport& report : found.image.state.agents) {
    add_health(report, contents.state);
  }
  for (const cluster::Record& record : found.image.others) {
    if (const auto* alive = std::get_if<cluster::AliveRecord>(&record)) {
      found.alive.push_back(alive->name);
    }
  }
  for (const cluster::Change& entry : entries) {
    if (!entry.key.starts_with("audit/")) continue;
    auto record = cluster::read_record(entry);
    auto* change = record ? std::get_if<Change>(&*record) : nullptr;
    auto* audit = change == nullptr ? nullptr : std::get_if<health::AppendAudit>(change);
    if (audit != nullptr) contents.audit.push_back(std::move(audit->event));
  }
  // The keys are by server. What came in one moment stays in the order of its keys.
  std::ranges::stable_sort(contents.audit, {}, &health::Event::at);
  if (contents.audit.size() > most_audit) {
    contents.audit_left_out = contents.audit.size() - most_audit;
    contents.audit.erase(
        contents.audit.begin(),
        contents.audit.begin() + static_cast<std::ptrdiff_t>(contents.audit_left_out));
  }
  return found;
}

std::vector<Write> writes_of(const Contents& contents) {
  std::vector<Write> writes;
  std::size_t number = 0;
  for (const health::Event& event : contents.audit) {
    // By key as they were by number: five digits are enough for kMostAudit.
    const std::string digits = std::to_string(100'000 + number++).substr(1);
    if (auto write = cluster::write_of(Change(health::AppendAudit{event}), "import-" + digits)) {
      writes.push_back(std::move(*write));
    }
  }
  health::SharedState shared;
  shared.publication = contents.publication;
  shared.generation = contents.state.generation;
  shared.stored = contents.state;
  for (Write& write : cluster::writes_of(shared)) writes.push_back(std::move(write));
  return writes;
}

std::vector<Write> writes_of(const std::vector<cluster::Change>& copy) {
  std::vector<Write> writes;
  std::optional<Write> edition;
  for (const cluster::Change& entry : copy) {
    const bool of_a_life = entry.lease != 0 || entry.key == "turn" || entry.key == "cluster";
    if (of_a_life || !entry.value) continue;
    Write write{entry.key, entry.value, 0};
    if (entry.key == "edition") {
      edition = std::move(write);
    } else {
      writes.push_back(std::move(write));
    }
  }
  if (edition) writes.push_back(std::move(*edition));
  return writes;
}

std::vector<Change> changes_of(const Contents& contents, const health::StoredState& before,
                               const std::vector<health::Event>& audit_before) {
  const health::StoredState& state = contents.state;
  std::vector<Change> changes;
  for (const health::Hold& hold : before.holds) changes.emplace_back(health::EraseHold{hold.key});
  for (const health::PutForce& force : before.forces) {
    changes.emplace_back(health::PutForce{force.server, force.service, {}, {}, {}});
  }
  for (const health::PlannedDrain& plan : before.schedules) {
    changes.emplace_back(health::EraseSchedule{plan.id});
  }
  changes.emplace_back(health::ReserveGenerations{state.generation});
  changes.emplace_back(health::ReserveSchedules{state.schedule});
  for (const auto& [zone, base] : state.serial_bases) {
    changes.emplace_back(health::PutSerialBase{zone, base});
  }
  for (const health::Hold& hold : state.holds) changes.emplace_back(health::PutHold{hold});
  for (const health::PutForce& force : state.forces) changes.emplace_back(force);
  for (const health::PlannedDrain& plan : state.schedules) {
    changes.emplace_back(health::PutSchedule{plan});
  }
  for (const health::PutHealth& known : state.health) changes.emplace_back(known);
  std::set<std::string> there;
  for (const health::Event& event : audit_before) there.insert(identity(event));
  for (const health::Event& event : contents.audit) {
    if (!there.contains(identity(event))) changes.emplace_back(health::AppendAudit{event});
  }
  return changes;
}

std::vector<cluster::Change> in_the_way(std::vector<cluster::Change> entries) {
  if (std::ranges::find(entries, "cluster", &cluster::Change::key) != entries.end()) return entries;
  std::erase_if(entries, [](const cluster::Change& entry) {
    return std::ranges::any_of(std::array{"agents/", "alive/", "responders/", "served/"},
                               [&](const char* group) { return entry.key.starts_with(group); });
  });
  return entries;
}

std::string counted(const std::vector<cluster::Change>& entries) {
  std::map<std::string_view, std::size_t> groups;
  for (const cluster::Change& entry : entries) {
    ++groups[std::string_view(entry.key).substr(0, entry.key.find('/'))];
  }
  std::vector<std::string> parts;
  for (const auto& [group, count] : groups) {
    parts.push_back(std::to_string(count) + " below " + printable(group));
  }
  return joined(parts, ", ");
}

std::string counted(const health::StoredState& state) {
  std::vector<std::string> parts;
  add_count(parts, state.holds.size(), "hold", "holds");
  add_count(parts, state.forces.size(), "forced health", "forced healths");
  add_count(parts, state.schedules.size(), "planned drain", "planned drains");
  return joined(parts, ", ");
}

std::vector<std::vector<Write>> in_transactions(std::vector<Write> writes) {
  std::vector<std::vector<Write>> transactions;
  std::size_t octets = 0;
  for (Write& write : writes) {
    const std::size_t size = write.key.size() + (write.value ? write.value->size() : 0);
    const bool full =
        !transactions.empty() && (transactions.back().size() == cluster::Transaction::kMostWrites ||
                                  octets + size > kMostOctets);
    if (transactions.empty() || full) {
      transactions.emplace_back();
      octets = 0;
    }
    octets += size;
    transactions.back().push_back(std::move(write));
  }
  return transactions;
}

}  // namespace sluice::ctl
