#include "health/api/handlers.h"

#include <memory>

#include "health/api/all_pools.h"
#include "health/api/gatherer.h"
#include "health/api/on_server.h"
#include "health/api/orders.h"
#include "health/api/server_name.h"

// Servers and pools: what they are, and what is done to them.
namespace sluice::health::handlers {

void pools(const ApiContext& api, Exchange exchange) {
  std::make_shared<AllPools>(api, std::move(exchange))->next_portion();
}

void pool(const ApiContext& api, Exchange exchange) {
  api.control([exchange = std::move(exchange)](Authority& authority) {
    const auto name = resolve_pool(*authority.topology(), exchange.path.at("pool"));
    if (!name) return reply(exchange, name.error());
    reply(exchange, found_or(authority.pool(*name), "no pool of that name is configured"));
  });
}

void server(const ApiContext& api, Exchange exchange) {
  on_server(api, std::move(exchange),
            [](Authority& authority, const std::string& fqdn, const Exchange& asked) {
              reply(asked,
                    found_or(authority.server(fqdn), "no server of that name is configured"));
            });
}

void verdict(const ApiContext& api, Exchange exchange) {
  on_server(api, std::move(exchange),
            [](Authority& authority, const std::string& fqdn, const Exchange& asked) {
              std::optional<std::string> service;
              if (const auto* named = asked.parameter("service")) service = *named;
              reply(asked, authority.verdict(fqdn, service));
            });
}

void drain(const ApiContext& api, Exchange exchange) {
  auto order = read_drain(exchange.body);
  if (!order) return reply(exchange, std::move(order).error());
  on_server(api, std::move(exchange),
            [order = std::move(*order), cluster = api.cluster](
                Authority& authority, const std::string& fqdn, const Exchange& asked) {
              DrainRequest named = order.drain;
              named.server = fqdn;
              if (named.local_force && !(cluster && cluster())) {
                return reply(asked, bad_member("local_force", std::string(kEmbeddedStore)));
              }
              if (order.at) {
                return authority.plan({std::move(named), *order.at}, actor_of(asked),
                                      [asked](Outcome<ScheduleView> outcome) {
                                        reply(asked, std::move(outcome), 201);
                                      });
              }
              authority.drain(named, actor_of(asked), [asked](Outcome<DrainReply> outcome) {
                reply_confirmed(asked, std::move(outcome));
              });
            });
}

void resume(const ApiContext& api, Exchange exchange) {
  const auto order = read_resume(exchange.body);
  if (!order) return reply(exchange, order.error());
  on_server(api, std::move(exchange),
            [order = *order](Authority& authority, const std::string& fqdn, const Exchange& asked) {
              authority.resume(fqdn, order.service, actor_of(asked),
                               [asked](Outcome<ResumeReply> outcome) {
                                 reply_confirmed(asked, std::move(outcome));
                               });
            });
}

void force(const ApiContext& api, Exchange exchange) {
  const auto order = read_force(exchange.body);
  if (!order) return reply(exchange, order.error());
  on_server(api, std::move(exchange),
            [order = *order](Authority& authority, const std::string& fqdn, const Exchange& asked) {
              authority.force(fqdn, order.service, order.health, actor_of(asked),
                              [asked](Outcome<ResumeReply> outcome) {
                                reply_confirmed(asked, std::move(outcome));
                              });
            });
}

namespace {

// A heartbeat on its way to the authority and back. Nothing of it is copied: these come by the
// thousand.
struct Pushed {
  Heartbeat heartbeat;
  Exchange exchange;
  HeartbeatReply reply;
};

}  // namespace

void heartbeat(const ApiContext& api, Exchange exchange) {
  auto heartbeat = read_heartbeat(exchange.body);
  if (!heartbeat) return reply(exchange, std::move(heartbeat).error());
  exchange.body = {};
  const auto pushed = std::make_shared<Pushed>();
  pushed->heartbeat = std::move(*heartbeat);
  pushed->exchange = std::move(exchange);
  api.gatherer->post([pushed, credentials = api.credentials,
                      deny = Denier(api)](Authority& authority) {
    const auto server =
        permitted_server(*authority.topology(), credentials->of_control().tokens, pushed->exchange);
    if (!server) return deny(pushed->exchange, server.error());
    authority.heartbeat(*server, pushed->heartbeat, [pushed](Outcome<HeartbeatReply> outcome) {
      if (!outcome) return reply(pushed->exchange, std::move(outcome).error());
      pushed->reply = std::move(*outcome);
      pushed->exchange.reply([pushed] { return json_text(to_text(pushed->reply)); });
    });
  });
}

}  // namespace sluice::health::handlers
