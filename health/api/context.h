#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "health/api/ports.h"

namespace sluice::health {

struct AcceptCounts;
class Attempts;
class AuthFailures;
class CredentialsInForce;
class EventFeed;
class ForbiddenLog;
class Gatherer;
class RequestCounters;

// What handlers work with: the rest of the program, and what the API keeps itself. The latter is
// the api thread's, and there for as long as that runs.
struct ApiContext : ApiPorts {
  EventFeed* feed = nullptr;  // null: nothing to watch
  AuthFailures* auth_failures = nullptr;
  Attempts* attempts = nullptr;
  ForbiddenLog* forbidden = nullptr;
  RequestCounters* requests = nullptr;
  Gatherer* gatherer = nullptr;
  // Appends what is known of TLS to the metrics page; empty: there is none.
  std::function<void(std::string&)> tls_metrics{};
  std::function<bool()> shedding{};                   // whether memory is short; empty: it never is
  const AcceptCounts* accepts = nullptr;              // null: nobody is accepted
  std::size_t most_requests = 0;                      // under way, heartbeats apart
  std::shared_ptr<CredentialsInForce> credentials{};  // the control thread may have it longer
};

}  // namespace sluice::health
