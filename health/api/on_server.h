#pragma once

#include <utility>

#include "health/api/context.h"
#include "health/api/permission.h"
#include "health/api/replies.h"

namespace sluice::health {

// Calls `act(authority, server, exchange)` on the control thread with the server that the path
// names, if the caller may see it (or change it, where the route does).
template <class Act>
void on_server(const ApiContext& api, Exchange exchange, Act act) {
  api.control([exchange = std::move(exchange), act = std::move(act), credentials = api.credentials,
               deny = Denier(api)](Authority& authority) {
    const auto server =
        permitted_server(*authority.topology(), credentials->of_control().tokens, exchange);
    if (!server) return deny(exchange, server.error());
    act(authority, *server, exchange);
  });
}

}  // namespace sluice::health
