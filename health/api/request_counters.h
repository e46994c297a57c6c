#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "health/api/routes.h"

namespace sluice::health {

// How often each route answered with which status, for the metrics page. The api thread's alone:
// it counts, and it writes the page. As many series as routes and statuses of ours, whatever is
// asked.
class RequestCounters {
 public:
  // `route`: of the table; null when none took the request.
  void count(const Route* route, int status) { ++counts_[{route, status}]; }

  // Appends sluice_api_requests_total{method,path,code} for what occurred; without a route, method
  // and path are empty.
  void append_to(std::string& page) const;

 private:
  std::map<std::pair<const Route*, int>, std::uint64_t> counts_;
};

}  // namespace sluice::health
