#include <memory>

#include "health/api/acceptor.h"
#include "health/api/all_figures.h"
#include "health/api/auth_failures.h"
#include "health/api/event_feed.h"
#include "health/api/handlers.h"
#include "health/api/metrics.h"
#include "health/api/metrics_page.h"
#include "health/api/openapi.h"
#include "health/api/orders.h"
#include "health/api/permission.h"
#include "health/api/process_metrics.h"
#include "health/api/replies.h"
#include "health/api/request_counters.h"
#include "health/api/view_json.h"
#include "health/rfc3339.h"

// The program as such: its configuration, its store, its figures.
namespace sluice::health::handlers {
namespace {

using nlohmann::ordered_json;

void append_readers(std::size_t readers, std::string& page) {
  page +=
      "# HELP sluice_api_event_readers Clients that watch the events.\n"
      "# TYPE sluice_api_event_readers gauge\n"
      "sluice_api_event_readers " +
      std::to_string(readers) + "\n";
}

void append_accepts(const AcceptCounts& counts, std::string& page) {
  MetricsPage metrics(page);
  metrics.counter("sluice_api_accept_errors_total",
                  "Clients of the API not accepted at once: no descriptors or memory.",
                  counts.failed.load(std::memory_order_relaxed));
  metrics.gauge("sluice_api_accept_paused",
                "Sockets of the API that accept nobody, for want of descriptors.",
                counts.starving.load(std::memory_order_relaxed));
}

}  // namespace

void reload(const ApiContext& api, Exchange exchange) {
  const auto order = read_nothing(exchange.body);
  if (!order) return reply(exchange, order.error());
  api.control([exchange = std::move(exchange), credentials = api.credentials, reload = api.reload,
               deny = Denier(api)](Authority&) {
    const auto permitted = still_allowed(credentials->of_control().tokens, exchange);
    if (!permitted) return deny(exchange, permitted.error());
    reload(actor_of(exchange), [exchange](std::vector<base::Error> errors) {
      exchange.reply([errors = std::move(errors)] {
        return errors.empty() ? json_response(200, {{"reloaded", true}}) : problem(errors);
      });
    });
  });
}

void backup(const ApiContext& api, Exchange exchange) {
  if (!api.backup) return reply(exchange, problem(503, "there is no store to copy"));
  api.control([exchange = std::move(exchange), backup = api.backup, credentials = api.credentials,
               deny = Denier(api)](Authority&) {
    const auto permitted = still_allowed(credentials->of_control().tokens, exchange);
    if (!permitted) return deny(exchange, permitted.error());
    backup([exchange](ApiPorts::Copy copy) {
      if (!copy) return reply(exchange, problem(507, copy.error()));
      exchange.reply([octets = std::make_shared<std::string>(std::move(*copy))] {
        HttpResponse response;
        response.content_type = "application/vnd.sqlite3";
        response.body = std::move(*octets);
        return response;
      });
    });
  });
}

void responders(const ApiContext& api, Exchange exchange) {
  api.control([exchange = std::move(exchange), tell = api.responders](Authority&) {
    const auto all = tell ? tell() : std::vector<ResponderView>();
    exchange.reply([all] {
      ordered_json list = ordered_json::array();
      for (const ResponderView& each : all) list.push_back(to_json(each));
      return json_response(200, {{"responders", std::move(list)}});
    });
  });
}

void cluster(const ApiContext& api, Exchange exchange) {
  api.control([exchange = std::move(exchange), tell = api.cluster](Authority&) {
    reply(exchange, found_or(tell ? tell() : std::nullopt, std::string(kEmbeddedStore)));
  });
}

void forget(const ApiContext& api, Exchange exchange) {
  auto name = read_forget(exchange.body);
  if (!name) return reply(exchange, std::move(name).error());
  api.control([exchange = std::move(exchange), name = std::move(*name), forget = api.forget,
               credentials = api.credentials, deny = Denier(api)](Authority&) {
    const auto permitted = still_allowed(credentials->of_control().tokens, exchange);
    if (!permitted) return deny(exchange, permitted.error());
    if (!forget) return reply(exchange, not_found(std::string(kEmbeddedStore)));
    forget(name, actor_of(exchange), [exchange, name](Outcome<base::Done> outcome) {
      if (!outcome) return reply(exchange, std::move(outcome).error());
      reply(exchange, json_response(200, {{"forgotten", name}}));
    });
  });
}

void metrics(const ApiContext& api, Exchange exchange) {
  // The figures are the authority's, the page is written by the API's thread.
  const auto counted =
      [exchange = std::move(exchange), commits = api.store_commit_seconds, dns = api.dns_metrics,
       requests = api.requests, tls = api.tls_metrics, feed = api.feed, accepts = api.accepts,
       failures = api.auth_failures, tell_cluster = api.cluster, stale = api.stale](
          const Authority& authority, const std::shared_ptr<const Figures>& figures) {
        const Histogram* acks = &authority.drain_ack_seconds();  // any thread reads it
        auto cluster = tell_cluster ? tell_cluster() : std::nullopt;
        exchange.reply([figures, acks, commits, dns, requests, tls, feed, accepts, failures, stale,
                        cluster = std::move(cluster)] {
          HttpResponse response;
          response.content_type = kMetricsContentType;
          const bool is_stale = stale && stale();
          response.body = metrics_text(*figures, *acks, commits, is_stale);
          if (cluster) append_cluster(*cluster, response.body);
          requests->append_to(response.body);
          failures->append_to(response.body);
          if (tls) tls(response.body);
          if (feed != nullptr) append_readers(feed->readers(), response.body);
          if (accepts != nullptr) append_accepts(*accepts, response.body);
          if (dns) dns(response.body);
          append_process_metrics(response.body);
          return response;
        });
      };
  std::make_shared<AllFigures>(api, counted)->next_portion();
}

void healthz(const ApiContext&, Exchange exchange) {
  reply(exchange, json_response(200, {{"status", "alive"}}));
}

void readyz(const ApiContext& api, Exchange exchange) {
  if (const auto why = api.not_ready ? api.not_ready() : std::nullopt) {
    return reply(exchange, problem(503, *why));
  }
  ordered_json state{{"status", "serving"}, {"stale", false}};
  if (const auto stale = api.stale ? api.stale() : std::nullopt) {
    state["stale"] = true;
    state["since"] = to_rfc3339(stale->since);
    state["reason"] = stale->reason;
  }
  reply(exchange, json_response(200, state));
}

void openapi(const ApiContext&, Exchange exchange) {
  reply(exchange, json_response(200, openapi_document()));
}

void version(const ApiContext&, Exchange exchange) {
  reply(exchange, json_response(200, {{"version", SLUICE_VERSION}}));
}

}  // namespace sluice::health::handlers
