#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "health/heartbeat.h"

// The two documents of a push (interfaces.md, "Heartbeat and its reply"). Pure.
namespace sluice::agent {

// Texts are cut to the 1,024 octets that the authority accepts, on a character's border; octets
// that are no UTF-8 are replaced.
std::string render_heartbeat(const health::Heartbeat& heartbeat);

std::string_view to_string(health::Health health);

// Why the authority does not accept the host's pause.
struct PauseRefusal {
  std::string rule;
  std::string detail;
  std::map<std::string, std::uint64_t, std::less<>> numbers;

  // "floor (accepting 2, min_accepting 2)"
  std::string text() const;
};

struct ServiceOrder {
  bool held = false;
  std::string reason;
  bool lift = false;  // drop the host's own pause
  std::optional<PauseRefusal> refused;
  bool pending = false;  // a hold covers it that is not confirmed yet: neither held nor free
};

struct HeartbeatReply {
  std::uint64_t generation = 0;
  base::Duration lease{0};
  std::map<std::string, ServiceOrder, std::less<>> services;
  bool stale = false;  // the authority is cut off from its cluster: it can tell nobody
};

// Accepts any octets. Members that it does not know are left alone, since a newer authority may say
// more; those that it knows must be of their type, and a lease 100ms..1d.
base::Checked<HeartbeatReply> parse_reply(std::string_view octets);

// What a problem document (RFC 9457) says, for the log: its detail or title, with the rule. Text
// that is none is given as it is, made printable.
struct Problem {
  std::string rule;
  std::string text;
};
Problem parse_problem(std::string_view octets);

}  // namespace sluice::agent
