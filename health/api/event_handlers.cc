#include <algorithm>
#include <memory>
#include <vector>

#include "health/api/event_feed.h"
#include "health/api/event_json.h"
#include "health/api/handlers.h"
#include "health/api/limit.h"
#include "health/api/on_server.h"

// What happened, and what happens.
namespace sluice::health::handlers {
namespace {

using nlohmann::ordered_json;

// The audit knows what was done, the ring what became of it. Where both happened in one
// millisecond, the deed comes first.
HttpResponse history_response(const std::string& server, std::vector<Event> events,
                              const EventHub* ring, std::size_t limit) {
  if (ring != nullptr) {
    for (Event& change : ring->status_changes(server, limit)) events.push_back(std::move(change));
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.at < b.at; });
  const std::size_t first = events.size() - std::min(events.size(), limit);
  ordered_json list = ordered_json::array();
  for (std::size_t i = first; i < events.size(); ++i) list.push_back(to_json(events[i]));
  return json_response(200, {{"server", server}, {"events", std::move(list)}});
}

}  // namespace

void history(const ApiContext& api, Exchange exchange) {
  const auto limit = read_limit(exchange);
  if (!limit) return reply(exchange, limit.error());
  if (!api.history) return reply(exchange, problem(503, "there is no audit to read"));
  on_server(
      api, std::move(exchange),
      [audit = api.history, ring = api.events, most = *limit](Authority&, const std::string& fqdn,
                                                              const Exchange& asked) {
        audit(fqdn, most, [=](ApiPorts::Entries entries) {
          if (!entries) {
            return reply(asked, problem(507, "the store failed: " + entries.error()));
          }
          asked.reply([=, events = std::make_shared<std::vector<Event>>(std::move(*entries))] {
            return history_response(fqdn, std::move(*events), ring, most);
          });
        });
      });
}

void events(const ApiContext& api, Exchange exchange) {
  if (api.feed == nullptr) return reply(exchange, problem(503, "there are no events to watch"));
  const std::string seen = exchange.last_event_id;
  exchange.reply([feed = api.feed, seen] { return feed->response(seen); });
}

}  // namespace sluice::health::handlers
