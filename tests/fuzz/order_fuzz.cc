// Body of an order (drain, resume, force, and those without one) -> an order, or 400 that names the
// member that is wrong. What is accepted is one JSON object with known members alone, each once and
// each of the meaning that the order has.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include <nlohmann/json.hpp>

#include "config/base/duration.h"
#include "health/api/orders.h"
#include "health/rfc3339.h"
#include "tests/fuzz/require.h"

namespace {

using namespace sluice;
using namespace sluice::health;
using nlohmann::json;

using Known = std::set<std::string_view>;
const Known kOfDrain{"service", "reason", "startup", "hide_host", "force", "at", "expires", "then"};
const Known kOfResume{"service"};
const Known kOfForce{"service", "health"};
const Known kOfNothing{};

// By the library's own reader, which keeps the last of two members: counted before it does.
json read_again(std::string_view body, const Known& known) {
  if (body.empty()) return json::object();
  std::size_t members = 0;
  const json document =
      json::parse(body, [&](int depth, json::parse_event_t event, const json& value) {
        if (event == json::parse_event_t::key) {
          fuzz::require(depth == 1 && known.contains(value.get<std::string>()));
          ++members;
        }
        return true;
      });
  fuzz::require(document.is_object() && document.size() == members);
  return document;
}

std::optional<std::string> text_of(const json& document, const char* name) {
  const auto found = document.find(name);
  if (found == document.end() || found->is_null()) return {};
  return found->get<std::string>();
}

bool flag_of(const json& document, const char* name) {
  const auto found = document.find(name);
  return found != document.end() && !found->is_null() && found->get<bool>();
}

void require_when(const std::optional<std::string>& text,
                  const std::optional<DrainRequest::When>& when) {
  fuzz::require(text.has_value() == when.has_value());
  if (!text) return;
  if (const auto* duration = std::get_if<base::Duration>(&*when)) {
    fuzz::require(base::parse_duration(*text) == *duration);
  } else {
    fuzz::require(parse_rfc3339(*text) == std::get<base::WallTime>(*when));
  }
}

// Never 500, and in words: a member that is named stands in the body, or is missing from it.
void require_refusal(const HttpResponse& response, const Known& known) {
  fuzz::require(response.status == 400 && !response.stream);
  fuzz::require(response.content_type == "application/problem+json");
  const json problem = json::parse(response.body);
  fuzz::require(problem.at("status") == 400 && !problem.at("detail").get<std::string>().empty());
  if (!problem.contains("member")) return;
  const auto member = problem["member"].get<std::string>();
  fuzz::require(problem["detail"].get<std::string>().starts_with(member + ": "));
  // One of ours, or one of theirs that we don't know.
  const bool ours =
      std::ranges::any_of(known, [&](std::string_view name) { return member.starts_with(name); });
  const auto detail = problem["detail"].get<std::string>();
  fuzz::require(ours || detail.ends_with("is not known") || detail.ends_with("given twice") ||
                detail.find("nested too deeply") != std::string::npos ||
                detail.find("1024 octets") != std::string::npos);
  for (const auto& [name, value] : response.fields) fuzz::require(value.find(member) != 0);
}

void drain(std::string_view body) {
  const auto order = read_drain(body);
  if (!order) return require_refusal(order.error(), kOfDrain);
  const json document = read_again(body, kOfDrain);
  fuzz::require(order->drain.server.empty());
  fuzz::require(order->drain.service == text_of(document, "service"));
  fuzz::require(!order->drain.service || !order->drain.service->empty());
  fuzz::require(order->drain.reason == text_of(document, "reason").value_or(""));
  for (const char c : order->drain.reason) fuzz::require((c < 0 || c >= ' ') && c != 0x7f);
  const auto startup = text_of(document, "startup");
  fuzz::require(startup.has_value() == order->drain.startup.has_value());
  if (startup) {
    fuzz::require((*startup == "manual") == (*order->drain.startup == config::Startup::Manual));
  }
  fuzz::require(order->drain.hide_host == flag_of(document, "hide_host"));
  fuzz::require(order->drain.force == flag_of(document, "force"));
  require_when(text_of(document, "at"), order->at);
  require_when(text_of(document, "expires"), order->drain.expires);
  const bool alarm = text_of(document, "then") == "alarm";
  fuzz::require(alarm == (order->drain.then == Then::Alarm));
  fuzz::require(!alarm || order->drain.expires);
}

void resume(std::string_view body) {
  const auto order = read_resume(body);
  if (!order) return require_refusal(order.error(), kOfResume);
  fuzz::require(order->service == text_of(read_again(body, kOfResume), "service"));
}

void force(std::string_view body) {
  const auto order = read_force(body);
  if (!order) return require_refusal(order.error(), kOfForce);
  const json document = read_again(body, kOfForce);
  fuzz::require(document.contains("health"));  // never by an empty body: null is said, too
  fuzz::require(order->service == text_of(document, "service"));
  const auto health = text_of(document, "health");
  fuzz::require(health.has_value() == order->health.has_value());
  if (health) fuzz::require((*health == "up") == (*order->health == Health::Up));
}

void nothing(std::string_view body) {
  const auto order = read_nothing(body);
  if (!order) return require_refusal(order.error(), kOfNothing);
  read_again(body, kOfNothing);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  drain(body);
  resume(body);
  force(body);
  nothing(body);
  return 0;
}
