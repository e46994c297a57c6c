#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/base/clock.h"
#include "tools/sluicectl/api/json_reader.h"

namespace sluice::ctl {

// What happened, as the authority tells it (GET /v1/events and a server's history).
struct Event {
  std::optional<base::WallTime> at;  // absent: of the stream itself (reset)
  std::string type;
  std::string server;   // empty: it concerns none
  std::string service;  // empty: the whole server
  std::string by;
  std::string origin;
  std::string text;
  std::uint64_t generation = 0;
  std::string was;     // of type status
  std::string status;  // of type status
  std::string rule;    // of type refusal
  std::string answer_set;
  std::vector<std::pair<std::string, std::uint64_t>> numbers;
};

Event read_event(JsonReader& reader);
std::vector<Event> read_history(JsonReader& reader);  // of {"events": [...]}

}  // namespace sluice::ctl
