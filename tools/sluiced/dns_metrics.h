#pragma once

#include <string>

#include "dns/server/counters.h"

namespace sluice {

// The responder's counters as Prometheus text, appended to `page`.
void append_dns_metrics(const dns::Counters& counters, std::string& page);

}  // namespace sluice
