#include "health/api/handlers.h"

#include <array>
#include <memory>

#include "health/api/all_pools.h"
#include "health/api/metrics.h"
#include "health/api/openapi.h"
#include "health/api/orders.h"
#include "health/api/problem.h"
#include "health/api/process_metrics.h"
#include "health/api/view_json.h"

namespace sluice::health::handlers {
namespace {

using nlohmann::ordered_json;

// Names are compared as DNS does (RFC 4343), written without the final dot.
std::string canonical(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return lower;
}

Refusal not_found(std::string detail) {
  Refusal refusal;
  refusal.kind = Refusal::Kind::NotFound;
  refusal.detail = std::move(detail);
  return refusal;
}

void reply(const Exchange& exchange, HttpResponse response) {
  exchange.reply([response = std::move(response)] { return response; });
}

// The view or reply as JSON, or the refusal as a problem.
template <class T>
void reply(const Exchange& exchange, Outcome<T> outcome) {
  if (!outcome) {
    return exchange.reply([refusal = std::move(outcome).error()] { return problem(refusal); });
  }
  // Shared, since std::function wants copies and a pool's view is large.
  exchange.reply([view = std::make_shared<const T>(std::move(*outcome))] {
    return json_response(200, to_json(*view));
  });
}

template <class T>
Outcome<T> found_or(std::optional<T> view, const std::string& otherwise) {
  if (view) return std::move(*view);
  return base::Unexpected{not_found(otherwise)};
}

// Calls `act(authority, server, exchange)` on the control thread with the server that the path
// names. An agent that asks for another than its own learns nothing, not even whether it exists.
template <class Act>
void on_server(const ApiPorts& ports, Exchange exchange, Act act) {
  ports.control([exchange = std::move(exchange), act = std::move(act)](Authority& authority) {
    const auto server = resolve_server(*authority.topology(), exchange.path.find("server")->second);
    if (exchange.who.role == config::Role::Agent && (!server || *server != exchange.who.server)) {
      return reply(exchange, problem(403, "an agent's token is for its own server alone"));
    }
    if (!server) return reply(exchange, problem(server.error()));
    act(authority, *server, exchange);
  });
}

Actor actor_of(const Exchange& exchange) {
  return {exchange.who.by, exchange.who.origin};
}

}  // namespace

Outcome<std::string> resolve_server(const Topology& topology, std::string_view text) {
  const std::string name = canonical(text);
  if (topology.server(name)) return name;
  std::vector<std::string_view> candidates;
  if (!name.empty() && name.find('.') == std::string::npos) {
    for (const TopologyServer& server : topology.servers()) {
      if (server.fqdn.size() > name.size() && server.fqdn.starts_with(name) &&
          server.fqdn[name.size()] == '.') {
        candidates.push_back(server.fqdn);
      }
    }
  }
  if (candidates.size() == 1) return std::string(candidates.front());
  if (candidates.empty()) {
    return base::Unexpected{not_found("no server of that name is configured")};
  }
  constexpr std::size_t kNamed = 5;  // a label such as fe01 may be in every pool
  std::string detail = "the label is not unique; it may be";
  for (std::size_t i = 0; i < std::min(kNamed, candidates.size()); ++i) {
    detail.append(" ").append(candidates[i]);
  }
  if (candidates.size() > kNamed) {
    detail += " or one of " + std::to_string(candidates.size() - kNamed) + " more";
  }
  return base::Unexpected{not_found(std::move(detail))};
}

void pools(const ApiPorts& ports, Exchange exchange) {
  std::make_shared<AllPools>(ports, std::move(exchange))->next_portion();
}

void pool(const ApiPorts& ports, Exchange exchange) {
  ports.control([exchange = std::move(exchange)](Authority& authority) {
    const std::string name = canonical(exchange.path.find("pool")->second);
    reply(exchange, found_or(authority.pool(name), "no pool of that name is configured"));
  });
}

void server(const ApiPorts& ports, Exchange exchange) {
  on_server(ports, std::move(exchange),
            [](Authority& authority, const std::string& fqdn, const Exchange& asked) {
              reply(asked,
                    found_or(authority.server(fqdn), "no server of that name is configured"));
            });
}

void verdict(const ApiPorts& ports, Exchange exchange) {
  on_server(ports, std::move(exchange),
            [](Authority& authority, const std::string& fqdn, const Exchange& asked) {
              std::optional<std::string> service;
              if (const auto* named = asked.parameter("service")) service = *named;
              reply(asked, authority.verdict(fqdn, service));
            });
}

void drain(const ApiPorts& ports, Exchange exchange) {
  auto request = read_drain(exchange.body);
  if (!request) return reply(exchange, std::move(request).error());
  on_server(ports, std::move(exchange),
            [request = std::move(*request)](Authority& authority, const std::string& fqdn,
                                            const Exchange& asked) {
              DrainRequest named = request;
              named.server = fqdn;
              authority.drain(named, actor_of(asked), [asked](Outcome<DrainReply> outcome) {
                reply(asked, std::move(outcome));
              });
            });
}

void resume(const ApiPorts& ports, Exchange exchange) {
  const auto order = read_resume(exchange.body);
  if (!order) return reply(exchange, order.error());
  on_server(ports, std::move(exchange),
            [order = *order](Authority& authority, const std::string& fqdn, const Exchange& asked) {
              authority.resume(
                  fqdn, order.service, actor_of(asked),
                  [asked](Outcome<ResumeReply> outcome) { reply(asked, std::move(outcome)); });
            });
}

void force(const ApiPorts& ports, Exchange exchange) {
  const auto order = read_force(exchange.body);
  if (!order) return reply(exchange, order.error());
  on_server(ports, std::move(exchange),
            [order = *order](Authority& authority, const std::string& fqdn, const Exchange& asked) {
              authority.force(
                  fqdn, order.service, order.health, actor_of(asked),
                  [asked](Outcome<ResumeReply> outcome) { reply(asked, std::move(outcome)); });
            });
}

void heartbeat(const ApiPorts& ports, Exchange exchange) {
  auto pushed = read_heartbeat(exchange.body);
  if (!pushed) return reply(exchange, std::move(pushed).error());
  exchange.body = {};
  on_server(ports, std::move(exchange),
            [pushed = std::make_shared<const Heartbeat>(std::move(*pushed))](
                Authority& authority, const std::string& fqdn, const Exchange& asked) {
              authority.heartbeat(fqdn, *pushed, [asked](Outcome<HeartbeatReply> outcome) {
                reply(asked, std::move(outcome));
              });
            });
}

void explain(const ApiPorts& ports, Exchange exchange) {
  constexpr std::array<std::string_view, 3> kTypes{"A", "AAAA", "SRV"};
  const std::string* name = exchange.parameter("name");
  if (name == nullptr || name->empty()) return reply(exchange, bad_member("name", "must be given"));
  std::string type = name->starts_with('_') ? "SRV" : "A";
  if (const std::string* asked = exchange.parameter("type")) {
    type.clear();
    for (const char c : *asked) type += c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c;
    if (std::ranges::find(kTypes, type) == kTypes.end()) {
      return reply(exchange, bad_member("type", "must be A, AAAA or SRV"));
    }
  }
  ports.control([exchange, type, owner = canonical(*name)](Authority& authority) {
    auto explanation = authority.explain(owner);
    if (!explanation) {
      return reply(exchange, problem(not_found("no answer set has that name")));
    }
    exchange.reply([type, owner, explanation = std::move(*explanation)] {
      ordered_json body{{"name", owner}, {"type", type}};
      body.update(to_json(explanation));
      return json_response(200, body);
    });
  });
}

void reload(const ApiPorts& ports, Exchange exchange) {
  const auto order = read_nothing(exchange.body);
  if (!order) return reply(exchange, order.error());
  const Actor by = actor_of(exchange);
  ports.reload(by, [exchange = std::move(exchange)](std::vector<base::Error> errors) {
    exchange.reply([errors = std::move(errors)] {
      return errors.empty() ? json_response(200, {{"reloaded", true}}) : problem(errors);
    });
  });
}

void metrics(const ApiPorts& ports, Exchange exchange) {
  // The figures are the authority's, the page is written by the API's thread.
  ports.control([exchange = std::move(exchange), commits = ports.store_commit_seconds,
                 dns = ports.dns_metrics](Authority& authority) {
    const Histogram* acks = &authority.drain_ack_seconds();  // any thread reads it
    auto figures = std::make_shared<Figures>();
    authority.add_figures(*figures);
    exchange.reply([figures, acks, commits, dns] {
      HttpResponse response;
      response.content_type = kMetricsContentType;
      response.body = metrics_text(*figures, *acks, commits);
      if (dns) dns(response.body);
      append_process_metrics(response.body);
      return response;
    });
  });
}

void healthz(const ApiPorts&, Exchange exchange) {
  reply(exchange, json_response(200, {{"status", "alive"}}));
}

void readyz(const ApiPorts& ports, Exchange exchange) {
  if (const auto why = ports.not_ready ? ports.not_ready() : std::nullopt) {
    return reply(exchange, problem(503, *why));
  }
  reply(exchange, json_response(200, {{"status", "serving"}, {"stale", false}}));
}

void openapi(const ApiPorts&, Exchange exchange) {
  reply(exchange, json_response(200, openapi_document()));
}

void version(const ApiPorts&, Exchange exchange) {
  reply(exchange, json_response(200, {{"version", SLUICE_VERSION}}));
}

}  // namespace sluice::health::handlers
