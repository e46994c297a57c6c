#include "health/api/permission.h"

#include <algorithm>
#include <utility>

#include "health/api/forbidden_log.h"
#include "health/api/problem.h"
#include "health/api/server_name.h"

namespace sluice::health {
namespace {

using base::Unexpected;

// Null: a local user, whom the socket's permissions let in.
base::Result<const config::Token*, Denial> token_of(const Tokens& tokens,
                                                    const Exchange& exchange) {
  const Identity& who = exchange.who;
  if (exchange.access == Access::Anyone || who.is_local()) return nullptr;
  const config::Token* token = tokens.current(who);
  if (token == nullptr)
    return Unexpected{Denial{problem(401, "the token or certificate is not known any more")}};
  if (!allowed(exchange.access, token->role, !token->pools.empty())) {
    return Unexpected{Denial{forbidden(exchange.access, token->role)}};
  }
  return token;
}

Denial other_pool(const config::Token& token, std::string_view server, std::string_view pool) {
  std::string pools = token.pools.front();
  for (std::size_t i = 1; i < token.pools.size(); ++i) pools += ", " + token.pools[i];
  HttpResponse response =
      problem(403,
              "the token " + token.name + " may act on servers of " + pools + " alone; " +
                  std::string(server) + " is a server of " + std::string(pool),
              {{"pool", pool}, {"pools", token.pools}});
  return {std::move(response),
          "an operator of other pools wanted to act on a server of " + std::string(pool),
          std::string(server)};
}

// Whose it was is not known any more, and it may come back with the next reload.
Denial no_pool(const config::Token& token, std::string_view server) {
  HttpResponse response =
      problem(403, "the token " + token.name + " may act on servers of some pools alone; " +
                       std::string(server) + " is in none at present");
  return {std::move(response), "an operator of some pools wanted to act on " + std::string(server) +
                                   ", which is in none at present"};
}

base::Result<base::Done, Denial> check_pool(const Topology& topology, const config::Token& token,
                                            std::string_view server) {
  if (token.pools.empty()) return base::Done{};
  const auto id = topology.server(server);
  if (!id) return Unexpected{no_pool(token, server)};
  const std::string_view pool = topology.pools()[topology.servers()[*id].pool].fqdn;
  if (std::ranges::find(token.pools, pool) != token.pools.end()) return base::Done{};
  return Unexpected{other_pool(token, server, pool)};
}

}  // namespace

base::Result<base::Done, Denial> still_allowed(const Tokens& tokens, const Exchange& exchange) {
  const auto token = token_of(tokens, exchange);
  if (!token) return Unexpected{token.error()};
  return base::Done{};
}

base::Result<base::Done, Denial> may_act_on(const Topology& topology, const Tokens& tokens,
                                            const Exchange& exchange, std::string_view server) {
  const auto token = token_of(tokens, exchange);
  if (!token) return Unexpected{token.error()};
  if (*token == nullptr || server.empty()) return base::Done{};
  return check_pool(topology, **token, server);
}

base::Result<std::string, Denial> permitted_server(const Topology& topology, const Tokens& tokens,
                                                   const Exchange& exchange) {
  const auto token = token_of(tokens, exchange);
  if (!token) return Unexpected{token.error()};
  auto server = resolve_server(topology, exchange.path.find("server")->second);
  if (exchange.who.role == config::Role::Agent && (!server || *server != exchange.who.server)) {
    Denial denial{problem(403, "an agent's token is for its own server alone"),
                  "the agent of " + exchange.who.server + " asked for another server"};
    if (server) {
      denial.server = *server;
    } else {
      denial.what = "the agent of " + exchange.who.server + " asked for a server that nobody has";
    }
    return Unexpected{std::move(denial)};
  }
  if (!server) return Unexpected{Denial{problem(server.error())}};
  if (*token != nullptr && exchange.access == Access::Operator) {
    const auto permitted = check_pool(topology, **token, *server);
    if (!permitted) return Unexpected{permitted.error()};
  }
  return std::move(*server);
}

Denier::Denier(const ApiContext& api) : log_(api.forbidden), audit_(api.audit), clock_(api.clock) {}

void Denier::operator()(const Exchange& exchange, Denial denial) const {
  exchange.reply(
      [log = log_, audit = audit_, clock = clock_, who = exchange.who, denial = std::move(denial)] {
        if (!denial.what.empty()) {
          auto event = log->record(who, denial.server, denial.what, clock->now());
          if (event && audit) audit(std::move(*event));
        }
        return denial.response;
      });
}

HttpResponse forbidden(Access access, config::Role role) {
  switch (access) {
    case Access::Operator:
      return problem(403, "this needs an operator's token");
    case Access::OperatorOfAll:
      return problem(403, role == config::Role::Operator
                              ? "this needs the token of an operator of all pools: this one is "
                                "limited to some"
                              : "this needs an operator's token");
    case Access::Agent:
      return problem(403, "this needs the token of the server's agent");
    default:
      return problem(403, "this needs a reader's token");
  }
}

}  // namespace sluice::health
