#pragma once

#include <chrono>
#include <string>
#include <vector>

// Pieces of the sentences that people read. Pure.
namespace sluice::health {

// "a, b, c"
std::string join(const std::vector<std::string>& words);

// Whole seconds, rounded up: "0 s" would read as if nothing were missing.
std::string seconds_text(std::chrono::milliseconds duration);

}  // namespace sluice::health
