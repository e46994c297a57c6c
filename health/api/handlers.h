#pragma once

#include "health/api/context.h"
#include "health/api/exchange.h"

// What each route does. Handlers run on the API's thread, reach the authority through the control
// port, and reply from wherever the answer comes.
namespace sluice::health::handlers {

void pools(const ApiContext& api, Exchange exchange);
void pool(const ApiContext& api, Exchange exchange);
void server(const ApiContext& api, Exchange exchange);
void verdict(const ApiContext& api, Exchange exchange);
void drain(const ApiContext& api, Exchange exchange);
void resume(const ApiContext& api, Exchange exchange);
void force(const ApiContext& api, Exchange exchange);
void schedules(const ApiContext& api, Exchange exchange);
void schedule(const ApiContext& api, Exchange exchange);
void cancel(const ApiContext& api, Exchange exchange);
void history(const ApiContext& api, Exchange exchange);
void events(const ApiContext& api, Exchange exchange);
void heartbeat(const ApiContext& api, Exchange exchange);
void explain(const ApiContext& api, Exchange exchange);
void names(const ApiContext& api, Exchange exchange);
void reload(const ApiContext& api, Exchange exchange);
void backup(const ApiContext& api, Exchange exchange);
void metrics(const ApiContext& api, Exchange exchange);
void healthz(const ApiContext& api, Exchange exchange);
void readyz(const ApiContext& api, Exchange exchange);
void openapi(const ApiContext& api, Exchange exchange);
void responders(const ApiContext& api, Exchange exchange);
void cluster(const ApiContext& api, Exchange exchange);
void forget(const ApiContext& api, Exchange exchange);
void version(const ApiContext& api, Exchange exchange);

}  // namespace sluice::health::handlers
