#include "tools/sluicectl/roll/journal.h"

#include <algorithm>
#include <array>
#include <utility>

#include "health/rfc3339.h"
#include "tools/sluicectl/api/json_reader.h"

namespace sluice::ctl::rolling {
namespace {

using State = Journal::State;

constexpr std::uint64_t kVersion = 1;

constexpr std::array kStates{std::pair{State::Held, "held"}, std::pair{State::Ran, "ran"},
                             std::pair{State::Resumed, "resumed"}, std::pair{State::Done, "done"}};

std::string name_of(State state) {
  const auto* found = std::find_if(kStates.begin(), kStates.end(),
                                   [&](const auto& each) { return each.first == state; });
  return found->second;
}

std::optional<State> state_named(const std::string& name) {
  const auto* found = std::find_if(kStates.begin(), kStates.end(),
                                   [&](const auto& each) { return each.second == name; });
  if (found == kStates.end()) return {};
  return found->first;
}

// A whole journal, and whether it is one of this version's.
struct Read {
  Journal journal;
  bool understood = false;
};
Read read_journal(JsonReader& reader) {
  Read read;
  read.understood = reader.number("version") == kVersion;
  read.journal.pool = reader.text("pool");
  read.journal.command = reader.text("command");
  reader.each_member("servers", [&](const std::string& name, JsonReader& each) {
    const auto state = state_named(each.text("state"));
    read.understood = read.understood && state;
    read.journal.servers[name] = {.state = state.value_or(State::Held),
                                  .hold_since = each.time_if("hold_since")};
  });
  return read;
}

std::optional<State> state_of(const Lane& lane) {
  switch (lane.phase) {
    case Phase::Waiting:
    case Phase::Skipped:
      return {};
    case Phase::Draining:
    case Phase::Leaving:
    case Phase::Running:
      return State::Held;
    case Phase::Resuming:
      return lane.put_back ? State::Held : State::Ran;
    case Phase::Returning:
    case Phase::Soaking:
      return State::Resumed;
    case Phase::Done:
      return State::Done;
  }
  return {};
}

Phase phase_of(State state, bool anew) {
  switch (state) {
    case State::Held:
      return Phase::Draining;
    case State::Ran:
      return anew ? Phase::Draining : Phase::Resuming;
    case State::Resumed:
      return anew ? Phase::Waiting : Phase::Returning;
    case State::Done:
      return anew ? Phase::Waiting : Phase::Done;
  }
  return Phase::Waiting;
}

}  // namespace

std::string to_text(const Journal& journal) {
  Json servers = Json::object();
  for (const auto& [name, entry] : journal.servers) {
    servers[name]["state"] = name_of(entry.state);
    if (entry.hold_since) servers[name]["hold_since"] = health::to_rfc3339(*entry.hold_since);
  }
  const Json document{{"version", kVersion},
                      {"pool", journal.pool},
                      {"command", journal.command},
                      {"servers", std::move(servers)}};
  // A command may be of any octets; with others than UTF-8 it is not known again.
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

base::Result<Journal, std::string> parse_journal(const std::string& text) {
  auto document = parse_document(text);
  if (!document) return base::Unexpected{document.error()};
  auto read = read_answer(*document, read_journal);
  if (!read) return base::Unexpected{std::move(read).error()};
  if (!read->understood) return base::Unexpected<std::string>{"it is of another version"};
  // As it was typed: a reader's texts are made fit to be shown.
  read->journal.command = (*document)["command"].get<std::string>();
  return std::move(read->journal);
}

Journal journal_of(const std::string& pool, const std::string& command,
                   const std::vector<Lane>& lanes) {
  Journal journal{.pool = pool, .command = command, .servers = {}};
  for (const Lane& lane : lanes) {
    if (const auto state = state_of(lane)) {
      journal.servers[lane.server] = {.state = *state, .hold_since = lane.hold_since};
    }
  }
  return journal;
}

std::vector<Lane> lanes_of(const std::vector<Group>& groups, const Journal& journal, bool anew) {
  std::vector<Lane> lanes;
  for (std::size_t group = 0; group < groups.size(); ++group) {
    for (const std::string& server : groups[group].servers) {
      Lane lane;
      lane.server = server;
      lane.domain = groups[group].domain;
      lane.group = group;
      if (const auto known = journal.servers.find(server); known != journal.servers.end()) {
        lane.phase = phase_of(known->second.state, anew);
        lane.hold_since = known->second.hold_since;
        if (lane.phase == Phase::Resuming) lane.command = 0;
      }
      lanes.push_back(std::move(lane));
    }
  }
  return lanes;
}

std::vector<std::string> lost_holds(const std::vector<Group>& groups, const Journal& journal) {
  std::vector<std::string> lost;
  for (const auto& [server, entry] : journal.servers) {
    const std::string& name = server;
    const bool here = std::any_of(groups.begin(), groups.end(), [&](const Group& group) {
      return std::find(group.servers.begin(), group.servers.end(), name) != group.servers.end();
    });
    const bool held = entry.state == State::Held || entry.state == State::Ran;
    if (held && !here) lost.push_back(server);
  }
  return lost;
}

}  // namespace sluice::ctl::rolling
