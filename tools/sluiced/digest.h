#pragma once

#include <string>

#include "config/model.h"

namespace sluice {

// What tells two configurations apart that answer differently: services, zones, pools and how
// health is judged, not where this responder listens or who may ask. 16 hex digits. Responders of
// one cluster compare theirs.
std::string digest_of(const config::Config& config);

}  // namespace sluice
