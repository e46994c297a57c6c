#include "health/cluster/own_records.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "health/cluster/records.h"

namespace sluice::cluster {
namespace {

using nlohmann::json;

constexpr std::string_view kHorizons = "horizons/";
constexpr std::string_view kTtls = "ttls/";
constexpr std::string_view kAlone = "alone/";
constexpr std::string_view kGeneration = "generation";

std::string key_of(const health::HoldKey& key) {
  return std::string(kHorizons) + key.server + "/" + key.service + "/" +
         std::to_string(static_cast<int>(key.origin));
}

json to_json(const base::Moment& moment) {
  return {moment.wall.time_since_epoch().count(), moment.mono.time_since_epoch().count(),
          moment.boot};
}

std::optional<base::Moment> read_moment(const json& value) {
  if (!value.is_array() || value.size() != 3 || !value[0].is_number_integer() ||
      !value[1].is_number_integer() || !value[2].is_number_unsigned()) {
    return std::nullopt;
  }
  base::Moment moment;
  moment.wall = base::WallTime(base::Duration(value[0].get<std::int64_t>()));
  moment.mono = base::MonoTime(std::chrono::nanoseconds(value[1].get<std::int64_t>()));
  moment.boot = value[2].get<std::uint64_t>();
  return moment;
}

void add_horizons(const json& value, health::Hold& hold) {
  const auto since = value.find("since");
  // Of another hold of the same name they say nothing.
  if (since == value.end() || !since->is_number_integer() ||
      since->get<std::int64_t>() != hold.since.time_since_epoch().count()) {
    return;
  }
  const auto services = value.find("services");
  if (services == value.end() || !services->is_object()) return;
  for (const auto& [service, moment] : services->items()) {
    if (const auto read = read_moment(moment)) hold.horizons[service] = *read;
  }
}

std::optional<health::PutPoolTtl> read_ttl(std::string_view pool, const json& value) {
  const auto ttl = value.find("ttl");
  const auto kept = value.find("kept_until");
  if (ttl == value.end() || kept == value.end() || !ttl->is_number_unsigned()) return std::nullopt;
  const auto until = read_moment(*kept);
  if (!until) return std::nullopt;
  return health::PutPoolTtl{std::string(pool), std::chrono::seconds(ttl->get<std::uint32_t>()),
                            *until};
}

}  // namespace

Write own_write(const health::Hold& hold) {
  if (hold.horizons.empty()) return own_erase(hold.key);
  json services = json::object();
  for (const auto& [service, moment] : hold.horizons) services[service] = to_json(moment);
  const json value = {{"since", hold.since.time_since_epoch().count()}, {"services", services}};
  return {key_of(hold.key), value.dump(), 0};
}

Write own_erase(const health::HoldKey& key) {
  return {key_of(key), std::nullopt, 0};
}

Write own_write(const health::PutPoolTtl& ttl) {
  const json value = {{"ttl", ttl.ttl.count()}, {"kept_until", to_json(ttl.kept_until)}};
  return {std::string(kTtls) + ttl.pool, value.dump(), 0};
}

Write own_hold(const health::Hold& hold) {
  Write write = *write_of(health::Change(health::PutHold{hold}), "");
  write.key.insert(0, kAlone);
  return write;
}

Write own_hold_erase(const health::HoldKey& key) {
  Write write = *write_of(health::Change(health::EraseHold{key}), "");
  write.key.insert(0, kAlone);
  return write;
}

Write own_generation(std::uint64_t generation) {
  return {std::string(kGeneration), json{{"generation", generation}}.dump(), 0};
}

void add_own(const std::vector<Change>& own, health::SharedState& state) {
  for (const Change& entry : own) {
    if (!entry.value || !entry.key.starts_with(kAlone)) continue;
    const auto record = read_record({entry.key.substr(kAlone.size()), entry.value, 0, 0});
    const auto* change = record ? std::get_if<health::Change>(&*record) : nullptr;
    const auto* put = change == nullptr ? nullptr : std::get_if<health::PutHold>(change);
    if (put == nullptr) continue;
    const bool known = std::ranges::any_of(
        state.stored.holds, [&](const health::Hold& hold) { return hold.key == put->hold.key; });
    if (known) continue;  // everybody's by now
    state.stored.holds.push_back(put->hold);
    state.stored.holds.back().local = true;
  }
  for (const Change& entry : own) {
    if (!entry.value) continue;
    const json value = json::parse(*entry.value, nullptr, false);
    if (!value.is_object()) continue;
    const std::string_view key = entry.key;
    if (key == kGeneration) {
      const auto number = value.find("generation");
      if (number != value.end() && number->is_number_unsigned()) {
        state.generation_alone = number->get<std::uint64_t>();
      }
      continue;
    }
    if (key.starts_with(kTtls)) {
      if (auto ttl = read_ttl(key.substr(kTtls.size()), value)) {
        state.stored.pool_ttls.push_back(*std::move(ttl));
      }
      continue;
    }
    for (health::Hold& hold : state.stored.holds) {
      if (key_of(hold.key) == key) add_horizons(value, hold);
    }
  }
}

}  // namespace sluice::cluster
