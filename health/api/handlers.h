#pragma once

#include <string>
#include <string_view>

#include "health/api/exchange.h"
#include "health/api/ports.h"
#include "health/refusal.h"
#include "health/topology.h"

// What each route does. Handlers run on the API's thread, reach the authority through the control
// port, and reply from wherever the answer comes.
namespace sluice::health::handlers {

void pools(const ApiPorts& ports, Exchange exchange);
void pool(const ApiPorts& ports, Exchange exchange);
void server(const ApiPorts& ports, Exchange exchange);
void verdict(const ApiPorts& ports, Exchange exchange);
void drain(const ApiPorts& ports, Exchange exchange);
void resume(const ApiPorts& ports, Exchange exchange);
void force(const ApiPorts& ports, Exchange exchange);
void heartbeat(const ApiPorts& ports, Exchange exchange);
void explain(const ApiPorts& ports, Exchange exchange);
void reload(const ApiPorts& ports, Exchange exchange);
void metrics(const ApiPorts& ports, Exchange exchange);
void healthz(const ApiPorts& ports, Exchange exchange);
void readyz(const ApiPorts& ports, Exchange exchange);
void openapi(const ApiPorts& ports, Exchange exchange);
void version(const ApiPorts& ports, Exchange exchange);

// The FQDN of the server that `text` names: an FQDN in any case, with or without a final dot, or a
// first label that is unique. The refusal lists the candidates of one that is not.
Outcome<std::string> resolve_server(const Topology& topology, std::string_view text);

}  // namespace sluice::health::handlers
