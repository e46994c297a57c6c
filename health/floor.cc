#include "health/floor.h"

namespace sluice::health {

Refusal floor_refusal(const FloorCheck& check) {
  Refusal refusal;
  refusal.kind = Refusal::Kind::Rule;
  refusal.rule = "floor";
  refusal.answer_set = check.answer_set;
  refusal.numbers = {{"accepting", check.accepting},
                     {"would_leave", check.would_leave},
                     {"min_accepting", check.min_accepting}};
  refusal.detail = check.answer_set + " has " + std::to_string(check.accepting) +
                   " accepting, would keep " + std::to_string(check.would_leave) + ", must keep " +
                   std::to_string(check.min_accepting) + " (min_accepting)";
  return refusal;
}

}  // namespace sluice::health
