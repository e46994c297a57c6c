#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "health/api/context.h"
#include "health/api/exchange.h"
#include "health/topology.h"

namespace sluice::health {

// The response of GET /v1/pools, gathered in portions: of 100,000 pools the views take seconds, and
// a drain must not wait for them. So each pool is shown as of its own moment; a reload in between
// starts anew. Owns itself while tasks of the control thread are on their way.
class AllPools : public std::enable_shared_from_this<AllPools> {
 public:
  AllPools(const ApiContext& api, Exchange exchange)
      : control_(api.control), exchange_(std::move(exchange)) {}

  // Any thread. Returns at once; the last portion replies.
  void next_portion();

 private:
  void gather(Authority& authority);
  void reply(const Authority& authority);

  decltype(ApiContext::control) control_;
  Exchange exchange_;
  std::shared_ptr<const Topology> topology_;  // whose numbers these are
  PoolId next_ = 0;
  std::string pools_;  // as JSON, commas between
};

}  // namespace sluice::health
