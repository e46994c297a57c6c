#include "health/refusal.h"

#include <utility>

namespace sluice::health {

Refusal refuse(Refusal::Kind kind, std::string detail, std::string member) {
  Refusal refusal;
  refusal.kind = kind;
  refusal.detail = std::move(detail);
  refusal.member = std::move(member);
  return refusal;
}

Refusal store_failed(const std::string& why) {
  Refusal refusal = refuse(Refusal::Kind::StoreFailed,
                           "it is in force, but the store failed and a restart would forget it (" +
                               why + "); asking again is harmless");
  refusal.in_force = true;
  return refusal;
}

}  // namespace sluice::health
