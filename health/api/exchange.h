#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/base/flat_map.h"
#include "health/api/auth.h"
#include "health/api/http_message.h"

namespace sluice::health {

// One request that was let in, on its way to its answer. It may outlive its connection and the API:
// the answer is dropped then.
struct Exchange {
  // Makes the response on the API's thread, so that no other thread writes JSON. (All pools at once
  // are the exception, see all_pools.h.)
  using Make = std::function<HttpResponse()>;

  Identity who;
  Access access = Access::Anyone;                     // of the route
  base::FlatMap<std::string_view, std::string> path;  // "server" of /v1/servers/{server}
  base::FlatMap<std::string, std::string> query;      // only what the route knows
  std::string last_event_id;                          // Last-Event-ID, or empty
  std::string body;
  std::function<void(Make)> reply;  // any thread; once

  const std::string* parameter(std::string_view name) const {
    const auto found = query.find(name);
    return found == query.end() ? nullptr : &found->second;
  }
};

}  // namespace sluice::health
