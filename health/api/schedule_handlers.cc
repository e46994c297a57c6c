#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "health/api/handlers.h"
#include "health/api/permission.h"
#include "health/api/replies.h"

// What is planned.
namespace sluice::health::handlers {
namespace {

using nlohmann::ordered_json;

// As the path names it; what is no number names none.
std::optional<ScheduleId> schedule_id(const Exchange& exchange) {
  const std::string& text = exchange.path.find("id")->second;
  ScheduleId id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return id;
}

std::optional<ScheduleView> find(const Authority& authority, ScheduleId id) {
  for (ScheduleView& view : authority.schedules()) {
    if (view.id == id) return std::move(view);
  }
  return {};
}

constexpr const char* kNoSuchSchedule = "no schedule has that id";

}  // namespace

void schedules(const ApiContext& api, Exchange exchange) {
  api.control([exchange = std::move(exchange)](Authority& authority) {
    exchange.reply(
        [views = std::make_shared<const std::vector<ScheduleView>>(authority.schedules())] {
          ordered_json all = ordered_json::array();
          for (const ScheduleView& view : *views) all.push_back(to_json(view));
          return json_response(200, {{"schedules", std::move(all)}});
        });
  });
}

void schedule(const ApiContext& api, Exchange exchange) {
  api.control([exchange = std::move(exchange)](Authority& authority) {
    const auto id = schedule_id(exchange);
    reply(exchange, found_or(id ? find(authority, *id) : std::nullopt, kNoSuchSchedule));
  });
}

void cancel(const ApiContext& api, Exchange exchange) {
  const auto id = schedule_id(exchange);
  if (!id) return reply(exchange, problem(404, kNoSuchSchedule));
  api.control([exchange = std::move(exchange), id = *id, credentials = api.credentials,
               deny = Denier(api)](Authority& authority) {
    const auto planned = find(authority, id);
    const auto permitted = may_act_on(*authority.topology(), credentials->of_control().tokens,
                                      exchange, planned ? planned->server : "");
    if (!permitted) return deny(exchange, permitted.error());
    authority.cancel(id, actor_of(exchange), [exchange](Outcome<ScheduleView> outcome) {
      reply(exchange, std::move(outcome));
    });
  });
}

}  // namespace sluice::health::handlers
