#include "health/api/request_counters.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::health {
namespace {

TEST(RequestCounters, CountsByRouteAndStatus) {
  RequestCounters counters;
  const Route& route = routes().front();
  counters.count(&route, 200);
  counters.count(&route, 200);
  counters.count(&route, 401);
  counters.count(nullptr, 404);
  std::string page;
  counters.append_to(page);
  EXPECT_EQ(page,
            "# HELP sluice_api_requests_total Requests by route and status; no path: no route took "
            "it.\n"
            "# TYPE sluice_api_requests_total counter\n"
            "sluice_api_requests_total{method=\"\",path=\"\",code=\"404\"} 1\n"
            "sluice_api_requests_total{method=\"GET\",path=\"/v1/pools\",code=\"200\"} 2\n"
            "sluice_api_requests_total{method=\"GET\",path=\"/v1/pools\",code=\"401\"} 1\n");
}

}  // namespace
}  // namespace sluice::health
