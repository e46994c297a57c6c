#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "health/api/auth.h"
#include "health/api/context.h"
#include "health/api/exchange.h"
#include "health/api/uri.h"

// The one table of what the API has: the dispatcher, the methods of a 405 and openapi.json are made
// of it.
namespace sluice::health {

struct Route {
  using Handler = void (*)(const ApiContext& api, Exchange exchange);

  Method method = Method::Get;
  std::string_view path;  // "/v1/servers/{server}/drain"
  Access access = Access::Anyone;
  std::string_view summary;
  Handler handler = nullptr;
  std::string_view request;             // schema of the body; empty: none is read
  std::string_view response;            // schema, or with a slash a media type of its own
  std::vector<std::string_view> query;  // known parameters
  std::vector<int> failures;            // statuses beyond 400, 401, 403
  std::string_view created = {};        // schema of a 201; empty: there is none
  // Also a 202 of the same schema: not every responder has confirmed.
  bool confirmed = false;
  bool gathered = false;  // its answer may wait for a rest of the Gatherer
};

std::span<const Route> routes();

const char* to_string(Method method) noexcept;

// The values of the placeholders, when the path is the route's.
std::optional<base::FlatMap<std::string_view, std::string>> match(const Route& route,
                                                                  const Target& target);

}  // namespace sluice::health
