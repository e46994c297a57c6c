#pragma once

#include <string>

#include "config/base/clock.h"
#include "tools/sluicectl/api/answers.h"
#include "tools/sluicectl/render/surface.h"

namespace sluice::ctl {

// `status`: a line about the pool, then a row for each server and service. Where the surface is too
// narrow, servers go by their names within the pool, then sessions by their numbers.
std::string pool_view(const Pool& pool, base::WallTime now, const Surface& surface);

// Holds that wait for their server or service to come back into the configuration.
std::string orphans_view(const std::vector<Orphan>& orphans, base::WallTime now);

// `services`: a server as its service console lists it.
std::string console_view(const Server& server, base::WallTime now, const Surface& surface);

}  // namespace sluice::ctl
