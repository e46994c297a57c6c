#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/result.h"
#include "health/api/event_hub.h"
#include "health/authority.h"
#include "health/event.h"
#include "health/histogram.h"
#include "health/view.h"

namespace sluice::health {

// What the API needs of the rest of the program.
struct ApiPorts {
  // Runs the task on the control thread. Any thread; tasks run in the order in which they came.
  std::function<void(std::function<void(Authority&)>)> control;
  // Reads the configuration again for `by` and takes it over all at once; no errors: done. The
  // callback may come on any thread.
  std::function<void(const Actor& by, std::function<void(std::vector<base::Error>)>)> reload;
  // Who answers DNS. Called by the control thread; empty: nobody.
  std::function<std::vector<ResponderView>()> responders;
  // What this responder knows of its cluster. Called by the control thread; empty, or nothing: it
  // has the embedded store.
  std::function<std::optional<ClusterView>()> cluster;
  // Forgets a responder that will not return: nothing waits for it any more. Refusals: NotFound,
  // Rule "alive", Unavailable. Called by the control thread; the callback may come on any.
  using Forgotten = std::function<void(Outcome<base::Done>)>;
  std::function<void(const std::string& name, const Actor& by, Forgotten)> forget;
  // Whether the state that answers may be old. Any thread calls it; may be empty: it never is.
  std::function<std::optional<Staleness>()> stale;
  // Appends the responder's families to the metrics page. Called by the API's thread; may be empty.
  std::function<void(std::string&)> dns_metrics;
  const Histogram* store_commit_seconds = nullptr;  // outlives the API; null: nothing to show
  // Why this process does not serve yet or no more; called by the API's thread; may be empty.
  std::function<std::optional<std::string>()> not_ready;
  // The newest `limit` entries of the audit about a server (FQDN), oldest first; the error is the
  // store's own words. Called by the control thread; the callback may come on any. Empty: no
  // history.
  using Entries = base::Result<std::vector<Event>, std::string>;
  std::function<void(const std::string& server, std::size_t limit, std::function<void(Entries)>)>
      history;
  // The octets of a consistent copy of the store, or in a sentence why there is none. Likewise.
  using Copy = base::Result<std::string, std::string>;
  std::function<void(std::function<void(Copy)>)> backup;
  EventHub* events = nullptr;  // outlives the API; null: nothing to watch
  // Takes what the API itself has for the audit (EventType::Authentication and Forbidden; the
  // generation is the taker's to fill in). Called by the API's thread, it must return at once; may
  // be empty.
  std::function<void(Event)> audit;
  const base::Clock* clock = nullptr;  // outlives the API
};

}  // namespace sluice::health
