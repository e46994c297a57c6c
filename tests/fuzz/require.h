#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "config/base/error.h"

// What a fuzz target states; what does not hold ends it, which is a finding.
namespace sluice::fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

// Each mistake says something, about a line that is there, in one line of its own.
inline void require_sound(const std::vector<base::Error>& errors, const std::string& text) {
  const auto lines = 1 + std::ranges::count(text, '\n');
  for (const base::Error& error : errors) {
    require(!error.message.empty());
    require(error.where.line >= 0 && error.where.line <= lines);
    for (const char c : base::to_string(error)) require(c < 0 || c >= ' ');
  }
}

}  // namespace sluice::fuzz
