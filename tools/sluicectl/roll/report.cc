#include "tools/sluicectl/roll/report.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "tools/sluicectl/render/duration_words.h"
#include "tools/sluicectl/render/table.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/render/words.h"
#include "tools/sluicectl/roll/report_json.h"

namespace sluice::ctl::rolling {
namespace {

std::string state_words(const Lane& lane) {
  if (lane.stopped) return lane.held() ? "stopped, held" : "stopped";
  switch (lane.phase) {
    case Phase::Waiting:
      return "not begun";
    case Phase::Draining:
    case Phase::Leaving:
    case Phase::Running:
      return "held";
    case Phase::Resuming:
      return "command done, held";
    case Phase::Returning:
    case Phase::Soaking:
      return "resumed";
    case Phase::Done:
      return "done";
    case Phase::Skipped:
      return "skipped";
  }
  return "";
}

Tone tone_of(const Lane& lane) {
  if (lane.stopped) return Tone::Bad;
  if (lane.phase == Phase::Done) return Tone::Good;
  return lane.active() || lane.phase == Phase::Skipped ? Tone::Waiting : Tone::Plain;
}

std::string duration_cell(const std::optional<base::Duration>& duration) {
  return duration ? compact(*duration) : "";
}

std::string command_cell(const Lane& lane) {
  if (!lane.command) return "";
  const std::string exit = "exit " + std::to_string(*lane.command);
  return lane.command_took ? exit + " in " + compact(*lane.command_took) : exit;
}

std::string room_words(const Room& room, std::size_t at_once) {
  if (room.floor == nullptr || room.servers >= at_once) return {};
  return "the floor of " + room.floor->owner + " (" + std::to_string(*room.floor->accepting) +
         " accepting, at least " + std::to_string(*room.floor->min_accepting) + ") " +
         (room.servers == 0 ? "refuses it"
                            : "lets " + std::to_string(room.servers) + " go at once");
}

}  // namespace

Report::Report(std::string pool, const Options& options, Context& context)
    : pool_(std::move(pool)),
      options_(options),
      context_(context),
      progress_(options.json ? context.err : context.out,
                options.json ? context.err_surface : context.out_surface) {}

std::string Report::shown(const Lane& lane) const {
  return relative_name(lane.server, pool_);
}

Exit Report::plan(const Pool& pool, const std::vector<Group>& groups,
                  const std::vector<Lane>& lanes) {
  const base::WallTime now = context_.clock.now().wall;
  const Forecast forecast = forecast_of(pool, groups, lanes, options_.skip_unready, now);
  if (options_.json) {
    print_document(plan_document(pool_, forecast).dump(), context_);
    return forecast.exit;
  }
  Table rows({{"TURN", false}, {"SERVER", true}, {"DOMAIN", true}, {"NOW", true}});
  std::size_t turn = 0;
  for (const Forecast::Turn& each : forecast.turns) {
    ++turn;
    for (const auto& [server, trouble] : each.servers) {
      const bool ready = trouble.empty();
      rows.add({std::to_string(turn),
                server,
                each.domain,
                {ready ? "ready" : trouble, ready ? Tone::Plain : Tone::Waiting}});
    }
  }
  context_.out << pool_ << ": " << turn << (turn == 1 ? " turn" : " turns") << '\n'
               << rows.render(context_.out_surface);
  for (std::size_t at = 0; at < forecast.turns.size(); ++at) {
    const std::string floor = room_words(forecast.turns[at].room, forecast.turns[at].wanted);
    if (!floor.empty()) context_.out << "turn " << at + 1 << ": " << floor << '\n';
  }
  context_.out << forecast.words << '\n';
  return forecast.exit;
}

void Report::note(const std::string& text) {
  progress_.clear();
  context_.err << "sluicectl: " << text << std::endl;
}

std::string Report::words(const Step& step, const Lane& lane) const {
  switch (step.kind) {
    case Step::Kind::Skipped:
      return "skipped, " + lane.trouble;
    case Step::Kind::Drained:
      return "left every answer";
    case Step::Kind::Safe:
      return "safe to take offline after " + spoken(lane.drained_in.value_or(base::Duration{0}));
    case Step::Kind::Command:
      return "runs " + printable(options_.exec);
    case Step::Kind::CommandEnded:
      return "the command ended, " + command_cell(lane);
    case Step::Kind::Resumed:
      return "resumed";
    case Step::Kind::PutBack:
      return "resumed without the command";
    case Step::Kind::Accepting:
      return "accepting after " + spoken(lane.accepting_after.value_or(base::Duration{0}));
    case Step::Kind::SoakAnew:
      return "no longer accepting, it soaks anew: " + lane.waits_for;
    case Step::Kind::Done:
      return "done";
    case Step::Kind::Stopped:
      return "stopped: " + lane.trouble;
  }
  return "";
}

void Report::steps(const std::vector<Step>& steps, const std::vector<Lane>& lanes) {
  if (steps.empty()) return;
  progress_.clear();
  for (const Step& step : steps) {
    const Lane& lane = lanes[step.lane];
    if (options_.json) {
      print_document(step_document(step, lane, context_.clock.now().wall)
                         .dump(-1, ' ', false, Json::error_handler_t::replace),
                     context_);
    } else {
      context_.out << '[' << step.lane + 1 << '/' << lanes.size() << "] " << shown(lane) << ": "
                   << words(step, lane) << '\n';
    }
  }
  context_.out.flush();  // commands write to the same place
}

void Report::progress(const std::vector<Lane>& lanes, const std::string& instead) {
  std::vector<std::string> lines;
  std::vector<std::string> briefs;
  std::vector<std::string> marks;
  for (const Lane& lane : lanes) {
    // A command may have the terminal for itself.
    if (lane.phase == Phase::Running) return;
    if (!lane.active() || lane.waits_for.empty()) continue;
    lines.push_back(shown(lane) + ": " + lane.waits_for);
    briefs.push_back(shown(lane) + ": " + lane.waits_brief);
    marks.push_back(shown(lane) + ": " + lane.waits_mark);
  }
  if (!instead.empty()) return progress_.show(instead, instead);
  if (!lines.empty()) {
    progress_.show(joined(lines, " | "), joined(marks, " | "), joined(briefs, " | "));
  }
}

void Report::end(const Machine& machine, const std::string& journal) {
  progress_.clear();
  if (options_.json) {
    print_document(report_document(pool_, machine, journal)
                       .dump(-1, ' ', false, Json::error_handler_t::replace),
                   context_);
  }
  people(machine, journal);
}

void Report::people(const Machine& machine, const std::string& journal) {
  // With --json the table is on stderr: stdout is for documents.
  std::ostream& out = options_.json ? context_.err : context_.out;
  const Surface& surface = options_.json ? context_.err_surface : context_.out_surface;
  Table rows({{"SERVER", true},
              {"STATE", true},
              {"DRAINED IN", false},
              {"COMMAND", false},
              {"ACCEPTING AFTER", false}});
  std::vector<std::string> held;
  for (const Lane& lane : machine.lanes()) {
    rows.add({lane.server,
              {state_words(lane), tone_of(lane)},
              duration_cell(lane.drained_in),
              command_cell(lane),
              duration_cell(lane.accepting_after)});
    if (lane.held()) held.push_back(lane.server);
  }
  out << rows.render(surface);
  out.flush();
  if (machine.exit() == Exit::Done) {
    out << pool_ << " is rolled\n";
    return;
  }
  std::ostream& err = context_.err;
  err << "sluicectl: the roll of " << pool_ << " stopped: " << machine.trouble() << '\n';
  if (held.empty()) err << "It holds no server.\n";
  for (const std::string& server : held) {
    err << server << " is held by this roll: `sluicectl resume " << server << "` lifts that.\n";
  }
  if (!journal.empty()) {
    err << "The same command again goes on from here; with --restart it begins anew (" << journal
        << ").\n";
  }
}

}  // namespace sluice::ctl::rolling
