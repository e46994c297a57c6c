#include <memory>

#include "health/api/all_figures.h"
#include "health/api/event_feed.h"
#include "health/api/handlers.h"
#include "health/api/metrics.h"
#include "health/api/openapi.h"
#include "health/api/orders.h"
#include "health/api/process_metrics.h"
#include "health/api/replies.h"
#include "health/api/request_counters.h"
#include "health/api/view_json.h"

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

}  // namespace

void reload(const ApiContext& api, Exchange exchange) {
  const auto order = read_nothing(exchange.body);
  if (!order) return reply(exchange, order.error());
  const Actor by = actor_of(exchange);
  api.reload(by, [exchange = std::move(exchange)](std::vector<base::Error> errors) {
    exchange.reply([errors = std::move(errors)] {
      return errors.empty() ? json_response(200, {{"reloaded", true}}) : problem(errors);
    });
  });
}

void backup(const ApiContext& api, Exchange exchange) {
  if (!api.backup) return reply(exchange, problem(503, "there is no store to copy"));
  api.control([exchange = std::move(exchange), backup = api.backup](Authority&) {
    backup([exchange](ApiPorts::Copy copy) {
      if (!copy) return reply(exchange, problem(507, "the store failed: " + copy.error()));
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

void metrics(const ApiContext& api, Exchange exchange) {
  // The figures are the authority's, the page is written by the API's thread.
  const auto counted = [exchange = std::move(exchange), commits = api.store_commit_seconds,
                        dns = api.dns_metrics, requests = api.requests,
                        feed = api.feed](const Authority& authority,
                                         const std::shared_ptr<const Figures>& figures) {
    const Histogram* acks = &authority.drain_ack_seconds();  // any thread reads it
    exchange.reply([figures, acks, commits, dns, requests, feed] {
      HttpResponse response;
      response.content_type = kMetricsContentType;
      response.body = metrics_text(*figures, *acks, commits);
      requests->append_to(response.body);
      if (feed != nullptr) append_readers(feed->readers(), response.body);
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
  reply(exchange, json_response(200, {{"status", "serving"}, {"stale", false}}));
}

void openapi(const ApiContext&, Exchange exchange) {
  reply(exchange, json_response(200, openapi_document()));
}

void version(const ApiContext&, Exchange exchange) {
  reply(exchange, json_response(200, {{"version", SLUICE_VERSION}}));
}

}  // namespace sluice::health::handlers
