#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "health/api/context.h"
#include "health/api/replies.h"
#include "health/refusal.h"
#include "health/topology.h"

// Servers and pools as paths name them.
namespace sluice::health {

// Names are compared as DNS does (RFC 4343), written without the final dot.
std::string canonical(std::string_view name);

// The FQDN of the server that `text` names: an FQDN in any case, with or without a final dot, or a
// first label that is unique. The refusal lists the candidates of one that is not.
Outcome<std::string> resolve_server(const Topology& topology, std::string_view text);

// Likewise of the pool.
Outcome<std::string> resolve_pool(const Topology& topology, std::string_view text);

// What may have been meant by an owner name that no answer set has, to stand behind a sentence that
// says so; empty: no guess.
std::string explain_hint(const Topology& topology, const std::string& owner);

// The server that the path names, or the response that says why there is none. An agent that asks
// for another than its own learns nothing, not even whether it exists.
base::Result<std::string, HttpResponse> own_server(const Topology& topology,
                                                   const Exchange& exchange);

// Calls `act(authority, server, exchange)` on the control thread with the server that the path
// names.
template <class Act>
void on_server(const ApiContext& api, Exchange exchange, Act act) {
  api.control([exchange = std::move(exchange), act = std::move(act)](Authority& authority) {
    const auto server = own_server(*authority.topology(), exchange);
    if (!server) return reply(exchange, server.error());
    act(authority, *server, exchange);
  });
}

}  // namespace sluice::health
