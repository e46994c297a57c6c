#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "config/model.h"

namespace sluice::agent {

inline constexpr std::array<std::pair<std::string_view, config::Startup>, 2> kStartupNames{
    {{"automatic", config::Startup::Automatic}, {"manual", config::Startup::Manual}}};

inline constexpr std::string_view to_string(config::Startup startup) {
  return startup == config::Startup::Manual ? "manual" : "automatic";
}

}  // namespace sluice::agent
