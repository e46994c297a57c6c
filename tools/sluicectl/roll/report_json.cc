#include "tools/sluicectl/roll/report_json.h"

#include <algorithm>

#include "health/rfc3339.h"

namespace sluice::ctl::rolling {
namespace {

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json seconds(const std::optional<base::Duration>& duration) {
  if (!duration) return nullptr;
  return std::chrono::duration<double>(*duration).count();
}

const char* name_of(Phase phase) {
  switch (phase) {
    case Phase::Waiting:
      return "waiting";
    case Phase::Draining:
      return "draining";
    case Phase::Leaving:
      return "held";
    case Phase::Running:
      return "running";
    case Phase::Resuming:
      return "resuming";
    case Phase::Returning:
      return "returning";
    case Phase::Soaking:
      return "soaking";
    case Phase::Done:
      return "done";
    case Phase::Skipped:
      return "skipped";
  }
  return "";
}

// Servers whose turn would come, in turns of as many as go at once.
std::vector<Forecast::Turn> turns_of(const Pool& pool, const std::vector<Group>& groups,
                                     const std::vector<Lane>& lanes, bool skip_unready,
                                     base::WallTime now) {
  std::vector<Forecast::Turn> turns;
  for (std::size_t group = 0; group < groups.size(); ++group) {
    std::vector<std::pair<std::string, std::string>> left;
    std::vector<std::string> going;
    for (const Lane& lane : lanes) {
      if (lane.group != group || lane.phase == Phase::Done) continue;
      const Server* server = find(pool, lane.server);
      // On its way already: its hold is the roll's own.
      const auto why =
          lane.active() || server == nullptr ? std::optional<std::string>() : unready(*server, now);
      if (!why) going.push_back(lane.server);
      if (!why || !skip_unready) left.emplace_back(lane.server, why.value_or(""));
    }
    const std::size_t wanted = std::min(groups[group].at_once, left.size());
    const std::size_t room = room_for(pool, going).servers;
    const std::size_t size = std::max<std::size_t>(std::min(wanted, room), 1);
    for (std::size_t at = 0; at < left.size(); at += size) {
      Forecast::Turn turn{
          .domain = groups[group].domain, .servers = {}, .wanted = wanted, .room = {}};
      const std::size_t end = std::min(at + size, left.size());
      turn.servers.assign(left.begin() + static_cast<std::ptrdiff_t>(at),
                          left.begin() + static_cast<std::ptrdiff_t>(end));
      turn.room = room_for(pool, going);
      turns.push_back(std::move(turn));
    }
  }
  return turns;
}

}  // namespace

Forecast forecast_of(const Pool& pool, const std::vector<Group>& groups,
                     const std::vector<Lane>& lanes, bool skip_unready, base::WallTime now) {
  Forecast forecast{.turns = turns_of(pool, groups, lanes, skip_unready, now),
                    .exit = Exit::Done,
                    .words = "nothing stands against it now"};
  for (const Forecast::Turn& turn : forecast.turns) {
    for (const auto& [server, trouble] : turn.servers) {
      if (trouble.empty()) continue;
      forecast.exit = Exit::Failed;
      forecast.words = "it would stop at " + server + ": " + trouble;
      return forecast;
    }
    if (turn.room.floor != nullptr && turn.room.servers == 0) {
      forecast.exit = Exit::Refused;
      forecast.words = "it would be refused at " + turn.servers.front().first + " by rule floor";
      return forecast;
    }
  }
  return forecast;
}

Json plan_document(const std::string& pool, const Forecast& forecast) {
  Json turns = Json::array();
  for (const Forecast::Turn& turn : forecast.turns) {
    Json servers = Json::array();
    for (const auto& [server, trouble] : turn.servers) {
      servers.push_back({{"server", server}, {"trouble", text_or_null(trouble)}});
    }
    Json floor = nullptr;
    if (const AnswerSet* set = turn.room.floor) {
      floor = {{"answer_set", set->owner},
               {"accepting", *set->accepting},
               {"min_accepting", *set->min_accepting},
               {"at_once", turn.room.servers}};
    }
    turns.push_back({{"domain", text_or_null(turn.domain)},
                     {"servers", std::move(servers)},
                     {"floor", std::move(floor)}});
  }
  return {{"step", "plan"},
          {"pool", pool},
          {"turns", std::move(turns)},
          {"exit", static_cast<int>(forecast.exit)},
          {"text", forecast.words}};
}

Json step_document(const Step& step, const Lane& lane, base::WallTime now) {
  Json document{{"at", health::to_rfc3339(now)},
                {"step", to_string(step.kind)},
                {"server", lane.server},
                {"domain", text_or_null(lane.domain)}};
  if (step.kind == Step::Kind::Safe) document["seconds"] = seconds(lane.drained_in);
  if (step.kind == Step::Kind::Accepting) document["seconds"] = seconds(lane.accepting_after);
  if (step.kind == Step::Kind::CommandEnded) {
    document["exit"] = lane.command.value_or(0);
    document["seconds"] = seconds(lane.command_took);
  }
  const bool trouble = step.kind == Step::Kind::Stopped || step.kind == Step::Kind::Skipped;
  if (trouble) document["text"] = lane.trouble;
  if (step.kind == Step::Kind::SoakAnew) document["text"] = lane.waits_for;
  return document;
}

Json report_document(const std::string& pool, const Machine& machine, const std::string& journal) {
  Json servers = Json::array();
  for (const Lane& lane : machine.lanes()) {
    servers.push_back({{"server", lane.server},
                       {"domain", text_or_null(lane.domain)},
                       {"state", name_of(lane.phase)},
                       {"stopped", lane.stopped},
                       {"held", lane.held()},
                       {"drained_in", seconds(lane.drained_in)},
                       {"command", lane.command ? Json(*lane.command) : Json(nullptr)},
                       {"command_took", seconds(lane.command_took)},
                       {"accepting_after", seconds(lane.accepting_after)},
                       {"text", text_or_null(lane.trouble)}});
  }
  return {{"step", "report"},
          {"pool", pool},
          {"complete", machine.exit() == Exit::Done},
          {"exit", static_cast<int>(machine.exit())},
          {"text", text_or_null(machine.trouble())},
          {"state", text_or_null(journal)},
          {"servers", std::move(servers)}};
}

}  // namespace sluice::ctl::rolling
