#include "health/api/request_counters.h"

namespace sluice::health {

void RequestCounters::append_to(std::string& page) const {
  page +=
      "# HELP sluice_api_requests_total Requests by route and status; no path: no route took it.\n"
      "# TYPE sluice_api_requests_total counter\n";
  for (const auto& [key, count] : counts_) {
    const auto [route, status] = key;
    page += "sluice_api_requests_total{method=\"";
    if (route != nullptr) page += to_string(route->method);
    page += "\",path=\"";
    if (route != nullptr) page += route->path;
    page += "\",code=\"" + std::to_string(status) + "\"} " + std::to_string(count) + "\n";
  }
}

}  // namespace sluice::health
