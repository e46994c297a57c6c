#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The target of a request, taken apart (RFC 3986). Pure.
namespace sluice::health {

struct Target {
  // Between the slashes, percent-decoded one by one: an encoded slash divides nothing. "/a/" has
  // the segments "a" and "".
  std::vector<std::string> segments;
  std::vector<std::pair<std::string, std::string>> query;  // decoded; "+" is a plus

  const std::string* parameter(std::string_view name) const noexcept {
    for (const auto& [known, value] : query) {
      if (known == name) return &value;
    }
    return nullptr;
  }
};

// Of the origin form. Nothing when an escape is broken or stands for a control character, or when a
// query parameter comes twice.
std::optional<Target> parse_target(std::string_view target);

}  // namespace sluice::health
