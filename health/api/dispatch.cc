#include "health/api/dispatch.h"

#include <algorithm>
#include <array>

#include "health/api/auth_failures.h"
#include "health/api/gatherer.h"
#include "health/api/problem.h"
#include "health/api/request_counters.h"
#include "health/api/routes.h"

namespace sluice::health {
namespace {

using base::Unexpected;

// Methods that some route of this path has; empty: there is no such path.
std::string allowed_methods(const Target& target) {
  std::string methods;
  for (const Route& route : routes()) {
    if (!match(route, target)) continue;
    if (!methods.empty()) methods += ", ";
    methods += to_string(route.method);
    if (route.method == Method::Get) methods += ", HEAD";
  }
  if (!methods.empty()) methods += ", OPTIONS";
  return methods;
}

HttpResponse no_route(Method method, const Target& target) {
  const std::string methods = allowed_methods(target);
  if (methods.empty()) return problem(404, "there is nothing at this path");
  HttpResponse response;
  if (method == Method::Options) {
    response.status = 204;
  } else {
    response = problem(405, "this path does not know the method; it knows " + methods);
  }
  response.fields.emplace_back("Allow", methods);
  return response;
}

HttpResponse unauthorized(AuthFailure failure) {
  switch (failure) {
    case AuthFailure::Missing:
      return problem(401, "a token is needed: Authorization: Bearer TOKEN");
    case AuthFailure::Malformed:
      return problem(401, "the Authorization field must be Bearer TOKEN");
    case AuthFailure::Unknown:
      return problem(401, "the token is not known");
  }
  return problem(401, "");
}

HttpResponse forbidden(Access access) {
  switch (access) {
    case Access::Operator:
      return problem(403, "this needs an operator's token");
    case Access::Agent:
      return problem(403, "this needs the token of the server's agent");
    default:
      return problem(403, "this needs a reader's token");
  }
}

base::Result<Identity, HttpResponse> admit(const HttpRequest& head, const Peer& peer,
                                           const Route& route, const Tokens& tokens,
                                           const ApiContext& api) {
  if (route.access == Access::Anyone) return Identity{};
  auto identity = identify(head, peer, tokens);
  if (!identity) {
    // Who shows no token asks what is wanted; who shows one that is wrong has tried.
    if (identity.error() != AuthFailure::Missing) {
      api.auth_failures->record(peer.address, api.clock->now().mono);
    }
    return Unexpected{unauthorized(identity.error())};
  }
  if (!allowed(route.access, identity->role)) return Unexpected{forbidden(route.access)};
  return std::move(*identity);
}

struct Found {
  const Route* route = nullptr;
  Exchange exchange;
};

base::Result<Found, HttpResponse> find(Method method, const Target& target) {
  // HEAD is GET without the content (RFC 9110 section 9.3.2).
  const Method wanted = method == Method::Head ? Method::Get : method;
  for (const Route& route : routes()) {
    if (route.method != wanted) continue;
    if (auto path = match(route, target)) {
      Found found{&route, {}};
      found.exchange.path = std::move(*path);
      return found;
    }
  }
  return Unexpected{no_route(method, target)};
}

base::Result<base::Done, HttpResponse> check_query(const Route& route, const Target& target) {
  for (const auto& [name, value] : target.query) {
    if (std::ranges::find(route.query, name) == route.query.end()) {
      return Unexpected{bad_member("query", "a parameter is not known to this path")};
    }
  }
  return base::Done{};
}

// `route` is set as soon as it is found, for whoever counts the refusals.
base::Result<Exchange, HttpResponse> let_in(const HttpRequest& head, const Peer& peer,
                                            const Tokens& tokens, const ApiContext& api,
                                            const Route*& route) {
  if (head.target == "*") {  // OPTIONS of the server as a whole
    HttpResponse response;
    response.status = 204;
    response.fields.emplace_back("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS");
    return Unexpected{std::move(response)};
  }
  const auto target = parse_target(head.target);
  if (!target) return Unexpected{problem(400, "the target's escapes or query are broken")};
  // Before anything else: a token that stands in a URL stands in logs, too.
  if (target->parameter("token") != nullptr || target->parameter("access_token") != nullptr) {
    return Unexpected{
        bad_member("token", "a token travels in the Authorization field, never in the URL")};
  }
  auto found = find(head.method, *target);
  if (!found) return Unexpected{std::move(found).error()};
  route = found->route;
  auto identity = admit(head, peer, *route, tokens, api);
  if (!identity) return Unexpected{std::move(identity).error()};
  const auto query = check_query(*route, *target);
  if (!query) return Unexpected{query.error()};
  found->exchange.who = std::move(*identity);
  for (const auto& [name, value] : target->query) found->exchange.query.emplace(name, value);
  found->exchange.last_event_id = head.field("last-event-id");
  return std::move(found->exchange);
}

HttpServer::Continue proceed(const Route& route, Exchange exchange, const ApiContext& api,
                             const std::shared_ptr<Inbox>& inbox) {
  return [&route, exchange = std::move(exchange), &api, inbox](
             std::string body, HttpServer::Respond respond) mutable {
    exchange.body = std::move(body);
    // The loop's thread makes the response and hands it over; the server knows whether the client
    // is still there. Once the inbox is closed, neither happens.
    const auto hurry = route.gathered ? nullptr : api.gatherer->hurry();
    exchange.reply = [inbox, respond = std::move(respond), &api, &route,
                      hurry](Exchange::Make make) {
      inbox->post([respond, make = std::move(make), &api, &route, hurry] {
        HttpResponse response = make();
        api.requests->count(&route, response.status);
        respond(std::move(response));
      });
    };
    route.handler(api, std::move(exchange));
  };
}

}  // namespace

base::Result<HttpServer::Continue, HttpResponse> dispatch(const HttpRequest& head, const Peer& peer,
                                                          const Tokens& tokens,
                                                          const ApiContext& api,
                                                          const std::shared_ptr<Inbox>& inbox) {
  const Route* route = nullptr;
  auto exchange = let_in(head, peer, tokens, api, route);
  if (exchange) return proceed(*route, std::move(*exchange), api, inbox);
  api.requests->count(route, exchange.error().status);
  return Unexpected{std::move(exchange).error()};
}

}  // namespace sluice::health
