#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/base/error.h"
#include "tools/sluicectl/api/json_reader.h"

namespace sluice::ctl {

// Why the authority did not do it: a problem document (RFC 9457) with Sluice's own members.
// Everything may be missing.
struct Problem {
  std::string title;
  std::string detail;
  std::string rule;
  std::string answer_set;
  std::string member;  // path of the offending member of the request
  std::vector<std::pair<std::string, std::uint64_t>> numbers;
  bool in_force = false;
  std::vector<base::Error> errors;  // of a configuration that was not taken

  std::optional<std::uint64_t> number(std::string_view name) const;
};

Problem read_problem(JsonReader& reader);

// The problem in a sentence or more, without a newline at the end: "refused by rule floor:
// pool01.contoso.example would keep 1 of at least 2 (has 2)".
std::string to_string(const Problem& problem);

}  // namespace sluice::ctl
