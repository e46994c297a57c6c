#pragma once

#include <nlohmann/json.hpp>

#include "health/event.h"

namespace sluice::health {

// An event as interfaces.md has it: what concerns every type is there or null, what concerns one is
// there with that type alone.
nlohmann::ordered_json to_json(const Event& event);

}  // namespace sluice::health
