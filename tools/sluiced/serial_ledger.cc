#include "tools/sluiced/serial_ledger.h"

namespace sluice {

std::vector<health::Change> SerialLedger::changes_for(const dns::ZoneSet& zones) const {
  std::vector<health::Change> changes;
  for (const auto& [zone, base] : zones.serial_bases()) {
    const auto known = bases_.find(zone);
    if (known != bases_.end() && known->second == base) continue;
    changes.emplace_back(health::PutSerialBase{zone, base});
  }
  return changes;
}

void SerialLedger::keep(const dns::ZoneSet& zones) {
  for (const auto& [zone, base] : zones.serial_bases()) bases_[zone] = base;
}

}  // namespace sluice
