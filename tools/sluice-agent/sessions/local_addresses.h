#pragma once

#include <vector>

#include "config/base/address.h"
#include "config/base/error.h"

namespace sluice::agent {

// What this host takes as its own, as its routes say (the table `local`, ip-route(8)): addresses of
// its interfaces, and whole prefixes that it was told to accept, such as 127.0.0.0/8.
base::Checked<std::vector<base::Prefix>> local_addresses();

}  // namespace sluice::agent
