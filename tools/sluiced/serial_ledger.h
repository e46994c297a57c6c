#pragma once

#include <utility>
#include <vector>

#include "dns/zone/zone_set.h"
#include "health/store.h"

namespace sluice {

// The zones' serial bases that are on disk. Those of zones that are gone stay: they may return.
class SerialLedger {
 public:
  SerialLedger() = default;
  explicit SerialLedger(dns::SerialBases stored) : bases_(std::move(stored)) {}

  const dns::SerialBases& bases() const noexcept { return bases_; }
  // What the store has to be told before these zones are served.
  std::vector<health::Change> changes_for(const dns::ZoneSet& zones) const;
  // It has been.
  void keep(const dns::ZoneSet& zones);
  // Another responder of the same zones did it.
  void keep(const health::PutSerialBase& base) { bases_[base.zone] = base.base; }

 private:
  dns::SerialBases bases_;
};

}  // namespace sluice
