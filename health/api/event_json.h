#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "health/event.h"

namespace sluice::health {

// Null: there is none.
nlohmann::ordered_json text_or_null(const std::string& text);

// An event as interfaces.md has it: what concerns every type is there or null, what concerns one is
// there with that type alone.
nlohmann::ordered_json to_json(const Event& event);

}  // namespace sluice::health
