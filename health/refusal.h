#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "config/base/result.h"

namespace sluice::health {

// Why the authority did not do what it was asked; the API makes a problem document of it.
struct Refusal {
  enum class Kind : std::uint8_t {
    BadInput,     // 400; `member` says which
    NotFound,     // 404
    Rule,         // 409; `rule`, `numbers`
    Unavailable,  // 503
    StoreFailed,  // 507; `in_force` says whether the hold stands nevertheless
    NoAnswer,     // 504: who had to act (the host's agent) did not answer in time
  };
  Kind kind = Kind::BadInput;
  std::string detail;                            // one sentence for people
  std::string rule;                              // "floor", "consolidated", "seq"
  std::string answer_set;                        // of rule floor: its owner name
  std::map<std::string, std::uint64_t> numbers;  // "accepting", "would_leave", "min_accepting"
  std::string member;                            // path of the offending member of the request
  bool in_force = false;
};

Refusal refuse(Refusal::Kind kind, std::string detail, std::string member = {});
// What was ordered is in force, in memory alone.
Refusal store_failed(const std::string& why);

template <class T>
using Outcome = base::Result<T, Refusal>;

}  // namespace sluice::health
