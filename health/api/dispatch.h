#pragma once

#include <memory>

#include "health/api/auth.h"
#include "health/api/context.h"
#include "health/api/http_server.h"
#include "health/api/inbox.h"

namespace sluice::health {

// From a request's head to its handler: route, identity, role, query; what does not pass is
// answered before any of its body is read. On the api thread; `api` must live as long as that
// runs.
base::Result<HttpServer::Continue, HttpResponse> dispatch(const HttpRequest& head, Peer& peer,
                                                          const Tokens& tokens,
                                                          const ApiContext& api,
                                                          const std::shared_ptr<Inbox>& inbox);

}  // namespace sluice::health
