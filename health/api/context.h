#pragma once

#include "health/api/ports.h"

namespace sluice::health {

class AuthFailures;
class EventFeed;
class Gatherer;
class RequestCounters;

// What handlers work with: the rest of the program, and what the API keeps itself. The latter is
// the api thread's, and there for as long as that runs.
struct ApiContext : ApiPorts {
  EventFeed* feed = nullptr;  // null: nothing to watch
  AuthFailures* auth_failures = nullptr;
  RequestCounters* requests = nullptr;
  Gatherer* gatherer = nullptr;
};

}  // namespace sluice::health
