#include "health/cluster/records.h"

#include <array>

#include "config/base/foreign_text.h"
#include "health/cluster/record_keys.h"
#include "health/cluster/record_readers.h"

namespace sluice::cluster {
namespace {

struct Group {
  std::string_view name;
  bool single = false;  // the name is the whole key
  ReadRecord (*read)(const Entry& entry);
};

constexpr std::array<Group, 15> kGroups{{{kClusterKey, true, read_cluster},
                                         {kTurnKey, true, read_turn},
                                         {kEditionKey, true, read_edition},
                                         {kNumbersKey, true, read_numbers},
                                         {"holds", false, read_hold},
                                         {"forces", false, read_force},
                                         {"schedules", false, read_schedule},
                                         {"pools", false, read_pool},
                                         {"hosts", false, read_host},
                                         {"serials", false, read_serial},
                                         {"agents", false, read_agent},
                                         {"responders", false, read_responder},
                                         {"alive", false, read_alive},
                                         {"served", false, read_served},
                                         {"audit", false, read_audit}}};

ReadRecord read(const Group& group, std::string_view rest, const Change& change) {
  if (!change.value) return group.read({rest, nullptr});
  // The engine bounds a value; a text in it may be as long.
  const auto value = health::parse_json(*change.value, change.value->size());
  if (!value) return wrong(value.error());
  return group.read({rest, &*value});
}

}  // namespace

base::Result<Record, std::string> read_record(const Change& change) {
  const std::string_view key = change.key;
  const auto [name, rest] = split_key(key);
  for (const Group& group : kGroups) {
    const bool fits = group.single ? key == group.name : name == group.name && name != key;
    if (!fits) continue;
    auto record = read(group, rest, change);
    if (record) return record;
    // A member's name may be anything, too.
    return wrong(base::escaped(key) + ": " + base::escaped(record.error()));
  }
  return Record(Ignored{});
}

}  // namespace sluice::cluster
