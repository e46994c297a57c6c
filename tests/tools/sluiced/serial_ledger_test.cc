#include "tools/sluiced/serial_ledger.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "dns/zone/zone_builder.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::shared_ptr<const dns::ZoneSet> zones_of(const std::vector<std::string>& names) {
  config::Config config;
  for (const std::string& name : names) {
    config.zones.push_back({name, "@ 60 SOA ns hostmaster 7 1 1 1 30\n@ 60 NS ns.example.\n", {}});
  }
  auto zones = dns::build_zones(config, {});
  if (!zones) throw std::runtime_error(base::to_string(zones.error()));
  return *zones;
}

std::vector<std::string> names(const std::vector<health::Change>& changes) {
  std::vector<std::string> all;
  for (const health::Change& each : changes)
    all.push_back(std::get<health::PutSerialBase>(each).zone);
  return all;
}

TEST(SerialLedger, TellsTheStoreWhatItDoesNotKnow) {
  const auto zones = zones_of({"a.example", "b.example"});
  const std::string first = zones->serial_bases().begin()->first;
  const std::string second = zones->serial_bases().rbegin()->first;
  SerialLedger ledger({{first, zones->serial_bases().begin()->second}, {second, 12'345}});
  EXPECT_THAT(names(ledger.changes_for(*zones)), ElementsAre(second)) << "its base is another now";
  EXPECT_THAT(names(SerialLedger().changes_for(*zones)), ElementsAre(first, second));
}

TEST(SerialLedger, KeepsTheBasesOfZonesThatAreGone) {
  SerialLedger ledger;
  const auto both = zones_of({"a.example", "b.example"});
  ledger.keep(*both);
  ledger.keep(*zones_of({"a.example"}));
  EXPECT_EQ(ledger.bases(), both->serial_bases());
  EXPECT_THAT(ledger.changes_for(*both), IsEmpty());
}

}  // namespace
}  // namespace sluice
