#include "health/hold.h"

namespace sluice::health {

std::string name_of(const HoldKey& key) {
  return key.service.empty() ? key.server : key.service + " on " + key.server;
}

}  // namespace sluice::health
