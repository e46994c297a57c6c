#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "health/authority.h"
#include "health/histogram.h"

namespace sluice::health {

// What the API needs of the rest of the program.
struct ApiPorts {
  // Runs the task on the control thread. Any thread; tasks run in the order in which they came.
  std::function<void(std::function<void(Authority&)>)> control;
  // Reads the configuration again for `by` and takes it over all at once; no errors: done. The
  // callback may come on any thread.
  std::function<void(const Actor& by, std::function<void(std::vector<base::Error>)>)> reload;
  // Appends the responder's families to the metrics page. Called by the API's thread; may be empty.
  std::function<void(std::string&)> dns_metrics;
  const Histogram* store_commit_seconds = nullptr;  // outlives the API; null: nothing to show
  // Why this process does not serve yet or no more; called by the API's thread; may be empty.
  std::function<std::optional<std::string>()> not_ready;
  const base::Clock* clock = nullptr;  // outlives the API
};

}  // namespace sluice::health
