#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace sluice::health {

// Finds the number of a name among names that are kept elsewhere: four to eight octets a name,
// where an unordered_map takes some sixty. The names must not change while it is used.
class NameIndex {
 public:
  // For that many names, and no more.
  explicit NameIndex(std::size_t names = 0) {
    std::size_t slots = 2;
    while (slots < 2 * names) slots *= 2;
    slots_.resize(slots);
  }

  // REQUIRES: another name than those before.
  void add(std::string_view name, std::uint32_t number) noexcept {
    std::size_t at = first(name);
    while (slots_[at] != 0) at = next(at);
    slots_[at] = number + 1;
  }

  // `name_of(number)` is the name that was added with that number.
  template <class NameOf>
  std::optional<std::uint32_t> find(std::string_view name, NameOf&& name_of) const {
    for (std::size_t at = first(name); slots_[at] != 0; at = next(at)) {
      const std::uint32_t number = slots_[at] - 1;
      if (name_of(number) == name) return number;
    }
    return std::nullopt;
  }

 private:
  std::size_t first(std::string_view name) const noexcept {
    return std::hash<std::string_view>{}(name) & (slots_.size() - 1);
  }
  std::size_t next(std::size_t at) const noexcept { return (at + 1) & (slots_.size() - 1); }

  std::vector<std::uint32_t> slots_;  // a power of two; number + 1; 0: free
};

}  // namespace sluice::health
