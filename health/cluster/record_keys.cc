#include "health/cluster/record_keys.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "config/names.h"
#include "health/stored_words.h"
#include "health/strict_json.h"

namespace sluice::cluster {
namespace {

constexpr std::string_view kNone = "-";        // no label: those have no hyphen at an end
constexpr std::size_t kScheduleDigits = 20;    // all of 64 bits
constexpr std::size_t kTimeDigits = 15;        // milliseconds until the year 33658
constexpr std::size_t kLongestIdentity = 255;  // of dns.identity

std::string digits(std::uint64_t number, std::size_t count) {
  const std::string text = std::to_string(number);
  return text.size() < count ? std::string(count - text.size(), '0') + text : text;
}

std::optional<std::uint64_t> read_digits(std::string_view text, std::size_t count) {
  if (text.size() != count) return {};
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

bool is_name(std::string_view text, config::CheckedName (*check)(std::string_view)) {
  const auto name = check(text);
  return name && *name == text;  // otherwise it is a name in another form than ours
}

}  // namespace

std::string key_of(std::string_view group, std::string_view rest) {
  std::string key(group);
  return key.append(1, '/').append(rest);
}

std::string service_text(std::string_view server, std::string_view service) {
  return key_of(server, service.empty() ? kNone : service);
}

std::string hold_text(const health::HoldKey& key) {
  return key_of(service_text(key.server, key.service), word(health::kOrigins, key.origin));
}

std::string schedule_text(health::ScheduleId id) {
  return digits(id, kScheduleDigits);
}

std::string audit_text(std::string_view server, base::WallTime at, std::string_view unique) {
  constexpr std::uint64_t kMost = 999'999'999'999'999;
  const auto milliseconds = at.time_since_epoch().count();
  const std::uint64_t time =
      milliseconds < 0 ? 0 : std::min(static_cast<std::uint64_t>(milliseconds), kMost);
  return key_of(server.empty() ? kNone : server, digits(time, kTimeDigits)) + "-" +
         std::string(unique);
}

bool is_server(std::string_view text) {
  return is_name(text, config::check_server_name);
}

bool is_service(std::string_view text) {
  return is_name(text, config::check_label);
}

bool is_dns_name(std::string_view text) {
  return is_name(text, config::check_dns_name);
}

bool is_responder(std::string_view text) {
  return !text.empty() && text.size() <= kLongestIdentity &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

std::optional<ServicePlace> read_service_text(std::string_view text) {
  const auto [server, service] = split_key(text);
  if (!is_server(server)) return {};
  if (service == kNone) return ServicePlace{std::string(server), {}};
  if (!is_service(service)) return {};
  return ServicePlace{std::string(server), std::string(service)};
}

std::optional<health::HoldKey> read_hold_text(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return {};
  const auto place = read_service_text(text.substr(0, slash));
  if (!place) return {};
  for (const auto& [origin, value] : health::kOrigins) {
    if (origin == text.substr(slash + 1)) {
      return health::HoldKey{place->server, place->service, value};
    }
  }
  return {};
}

std::optional<health::ScheduleId> read_schedule_text(std::string_view text) {
  const auto id = read_digits(text, kScheduleDigits);
  return id && *id <= health::kMaxJsonInteger ? id : std::nullopt;
}

std::optional<std::string> read_audit_text(std::string_view text) {
  const auto [server, entry] = split_key(text);
  if (server != kNone && !is_server(server)) return {};
  const bool has_time = read_digits(entry.substr(0, kTimeDigits), kTimeDigits).has_value();
  if (!has_time || entry.size() < kTimeDigits + 2 || entry[kTimeDigits] != '-') return {};
  return std::string(server == kNone ? std::string_view() : server);
}

std::pair<std::string_view, std::string_view> split_key(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {text, {}};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

}  // namespace sluice::cluster
