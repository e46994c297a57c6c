#include "dns/answer/extended_error.h"

#include <cassert>

namespace sluice::dns {

namespace {

constexpr ExtendedError kNeverEmpty{0, "no server is well: these may not answer"};
constexpr ExtendedError kServeHeld{0, "no server is left: held ones answer"};
constexpr ExtendedError kLastResort{0, "no server is left: last resort answers"};
constexpr ExtendedError kNoMembers{0, "every server is held or forced down"};

}  // namespace

const ExtendedError& explanation_of(health::Fallback fallback) noexcept {
  switch (fallback) {
    case health::Fallback::None:
      break;
    case health::Fallback::NeverEmpty:
      return kNeverEmpty;
    case health::Fallback::ServeHeld:
      return kServeHeld;
    case health::Fallback::Addresses:
      return kLastResort;
    case health::Fallback::NoData:
      return kNoMembers;
  }
  assert(false);  // members as usual need no explanation
  return kNoMembers;
}

}  // namespace sluice::dns
