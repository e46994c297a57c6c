#pragma once

#include <cstddef>
#include <string>

namespace sluice {

// "1 zone", "2 zones".
inline std::string counted(std::size_t number, const std::string& word) {
  return std::to_string(number) + " " + word + (number == 1 ? "" : "s");
}

}  // namespace sluice
