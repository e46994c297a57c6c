#pragma once

#include <cstddef>

#include "config/base/result.h"
#include "health/api/exchange.h"

namespace sluice::health {

// How many of a list are wanted: "limit", 1..1000, 200 without it. Otherwise the answer that says
// so.
base::Result<std::size_t, HttpResponse> read_limit(const Exchange& exchange);

}  // namespace sluice::health
