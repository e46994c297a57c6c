#include "health/api/dispatch.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>

#include "config/base/foreign_text.h"
#include "health/api/attempts.h"
#include "health/api/auth_failures.h"
#include "health/api/gatherer.h"
#include "health/api/permission.h"
#include "health/api/problem.h"
#include "health/api/request_counters.h"
#include "health/api/routes.h"
#include "health/api/shedding.h"

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

// As one writes it in api.tokens; the first ones will do.
std::string names_of(const base::CertificateHolder& holder) {
  constexpr std::size_t kShown = 5;
  if (holder.names.empty()) return "it has no DNS, e-mail or URI subject alternative name";
  std::string text = "its names are ";
  for (std::size_t i = 0; i < std::min(kShown, holder.names.size()); ++i) {
    text += (i == 0 ? "" : ", ") + base::escaped(holder.names[i].text);
  }
  return text + (holder.names.size() > kShown ? ", ..." : "");
}

HttpResponse unauthorized(AuthFailure failure, const Peer& peer) {
  switch (failure) {
    case AuthFailure::Missing:
      return problem(401, "a token is needed: Authorization: Bearer TOKEN");
    case AuthFailure::Malformed:
      return problem(401, "the Authorization field must be Bearer TOKEN");
    case AuthFailure::Unknown:
      break;
    case AuthFailure::CertificateUnlisted:
      return problem(401, "the certificate is trusted, but no entry of api.tokens has its name; " +
                              names_of(*peer.certificate));
    case AuthFailure::CertificateAmbiguous:
      return problem(401, "the certificate has the names of several entries of api.tokens; " +
                              names_of(*peer.certificate));
    case AuthFailure::CertificateExpired:
      return problem(401, "the certificate has expired since the connection began");
    case AuthFailure::Limited:
      break;
  }
  return problem(401, "the token is not known");
}

HttpResponse too_many_attempts(base::Duration wait) {
  HttpResponse response =
      problem(429,
              "too many requests of this address failed to authenticate: the token was not "
              "looked at; try again later");
  response.fields.emplace_back(
      "Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()));
  return response;
}

HttpResponse too_many_requests() {
  HttpResponse response = problem(503, "too many requests are under way: try again in a moment");
  response.fields.emplace_back("Retry-After", "1");
  return response;
}

// Who may not even try is known before the token is looked at. A connection whose last request was
// let in by its token is not hurt by others of its address (behind one NAT there may be thousands);
// when its next one fails it is one of them. Who asks by a certificate has not guessed it, and is
// not asked; a token that it shows is a try like any other.
base::Result<Identity, HttpResponse> authenticate(const HttpRequest& head, Peer& peer,
                                                  const Tokens& tokens, const ApiContext& api) {
  AuthFailures& failures = *api.auth_failures;
  const base::Now now = api.clock->now();
  const bool shows_token = !head.field("authorization").empty();
  const bool token_was_good = peer.who && peer.who->sha256.has_value();
  if (!peer.local && !token_was_good && shows_token) {
    if (const auto wait = api.attempts->wait(peer.ip, now.mono)) {
      failures.count(AuthFailure::Limited);
      failures.record(peer.address, now.mono);
      return Unexpected{too_many_attempts(*wait)};
    }
  }
  auto identity = identify(head, peer, tokens, now.wall);
  if (!identity) {
    peer.who = nullptr;
    failures.count(identity.error());
    // Who shows no token asks what is wanted; who shows one that is wrong has tried.
    if (identity.error() != AuthFailure::Missing) {
      failures.record(peer.address, now.mono);
      if (shows_token) api.attempts->failed(peer.ip, now.mono);
    }
    return Unexpected{unauthorized(identity.error(), peer)};
  }
  const bool same = peer.who && peer.who->by == identity->by &&
                    peer.who->sha256 == identity->sha256 &&
                    peer.who->certificate == identity->certificate &&
                    peer.who->role == identity->role && peer.who->server == identity->server;
  if (!same) peer.who = std::make_shared<const Identity>(*identity);
  return std::move(*identity);
}

// Browsers show a certificate of their own accord, whatever page it is that asks, and say which:
// Sec-Fetch-Site (W3C Fetch Metadata) and Origin (RFC 6454). Programs say neither. A token has to
// be put into a request, which no page of another site can do.
bool is_cross_site(const HttpRequest& head) {
  const std::string_view site = head.field("sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none") return true;
  const std::string_view origin = head.field("origin");
  if (origin.empty()) return false;
  const std::size_t scheme = origin.find("://");
  return scheme == std::string_view::npos || origin.substr(scheme + 3) != head.field("host");
}

base::Result<Identity, HttpResponse> admit(const HttpRequest& head, Peer& peer, const Route& route,
                                           const Tokens& tokens, const ApiContext& api) {
  if (route.access == Access::Anyone) return Identity{};
  auto identity = authenticate(head, peer, tokens, api);
  if (!identity) return Unexpected{std::move(identity).error()};
  const config::Token* token = tokens.current(*identity);
  const bool limited = token != nullptr && !token->pools.empty();
  if (!allowed(route.access, identity->role, limited)) {
    return Unexpected{forbidden(route.access, identity->role)};
  }
  const bool changes = head.method != Method::Get && head.method != Method::Head;
  if (changes && identity->certificate && is_cross_site(head)) {
    return Unexpected{
        problem(403, "a page of another site asks this with the certificate of your browser")};
  }
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
base::Result<Exchange, HttpResponse> let_in(const HttpRequest& head, Peer& peer,
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
  if (!peer.local && is_heavy(*route) && api.shedding && api.shedding()) {
    return Unexpected{memory_is_short()};
  }
  // Nobody need keep what nobody reads.
  if (head.has_body && route->request.empty()) {
    return Unexpected{problem(413, "this path takes no content with this method")};
  }
  if (!route->gathered && api.gatherer->hurries() >= api.most_requests) {
    return Unexpected{too_many_requests()};
  }
  found->exchange.who = std::move(*identity);
  found->exchange.access = route->access;
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

base::Result<HttpServer::Continue, HttpResponse> dispatch(const HttpRequest& head, Peer& peer,
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
