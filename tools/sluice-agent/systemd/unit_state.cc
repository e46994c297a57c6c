#include "tools/sluice-agent/systemd/unit_state.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "config/base/fnv.h"

namespace sluice::agent {
namespace {

bool is_stopped(const UnitState& unit) {
  return unit.active == "inactive" || unit.active == "failed";
}

std::string instance_of(std::span<const UnitState> units) {
  if (units.size() == 1) return units.front().invocation;
  base::Fnv1a hash;
  for (const UnitState& unit : units) {
    hash.add(unit.invocation);
    hash.add(' ');
  }
  std::array<char, 16> hex{};
  const auto end = std::to_chars(hex.data(), hex.data() + hex.size(), hash.value(), 16).ptr;
  return std::to_string(units.size()) + "-units-" + std::string(hex.data(), end);
}

}  // namespace

std::string UnitState::text() const {
  if (active.empty()) return "not known";
  if (load != "loaded") return load;
  return sub.empty() ? active : active + " (" + sub + ")";
}

UnitsVerdict judge_units(std::span<const UnitState> units) {
  using enum UnitsVerdict::Health;
  if (units.empty() || !std::ranges::all_of(units, &UnitState::known)) return {};
  if (std::ranges::all_of(units, &UnitState::is_up)) return {Up, instance_of(units)};
  if (std::ranges::all_of(units, is_stopped)) return {Stopped, {}};
  return {Down, instance_of(units)};
}

}  // namespace sluice::agent
