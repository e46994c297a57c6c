#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "config/base/clock.h"
#include "health/hold.h"
#include "health/schedule.h"

// The keys below the prefix: what stands in them <-> their text. Pure. What is read may be
// anybody's: a name that no configuration could have is none.
namespace sluice::cluster {

inline constexpr std::string_view kClusterKey = "cluster";
inline constexpr std::string_view kTurnKey = "turn";
inline constexpr std::string_view kEditionKey = "edition";
inline constexpr std::string_view kNumbersKey = "numbers";

// `group` is what stands before the first slash: "holds", "pools", ...
std::string key_of(std::string_view group, std::string_view rest);

// SERVER/SERVICE; the service is "-" for the whole server.
std::string service_text(std::string_view server, std::string_view service);
// SERVER/SERVICE/ORIGIN
std::string hold_text(const health::HoldKey& key);
std::string schedule_text(health::ScheduleId id);
// SERVER/TIME-UNIQUE; the server is "-" for none.
std::string audit_text(std::string_view server, base::WallTime at, std::string_view unique);

bool is_server(std::string_view text);
bool is_service(std::string_view text);
// Of a pool or a zone.
bool is_dns_name(std::string_view text);
// A responder's: dns.identity.
bool is_responder(std::string_view text);

struct ServicePlace {
  std::string server;
  std::string service;  // empty: the whole server
};
// The same backwards, of the texts after the group.
std::optional<ServicePlace> read_service_text(std::string_view text);
std::optional<health::HoldKey> read_hold_text(std::string_view text);
std::optional<health::ScheduleId> read_schedule_text(std::string_view text);
// The server; empty: none.
std::optional<std::string> read_audit_text(std::string_view text);

// What stands before the first slash, and behind it; without a slash all is in front.
std::pair<std::string_view, std::string_view> split_key(std::string_view text);

}  // namespace sluice::cluster
