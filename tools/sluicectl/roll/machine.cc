#include "tools/sluicectl/roll/machine.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace sluice::ctl::rolling {

const char* to_string(Step::Kind kind) noexcept {
  switch (kind) {
    case Step::Kind::Skipped:
      return "skipped";
    case Step::Kind::Drained:
      return "drained";
    case Step::Kind::Safe:
      return "safe";
    case Step::Kind::Command:
      return "command";
    case Step::Kind::CommandEnded:
      return "command-ended";
    case Step::Kind::Resumed:
      return "resumed";
    case Step::Kind::PutBack:
      return "put-back";
    case Step::Kind::Accepting:
      return "accepting";
    case Step::Kind::SoakAnew:
      return "soak-anew";
    case Step::Kind::Done:
      return "done";
    case Step::Kind::Stopped:
      return "stopped";
  }
  return "";
}

Machine::Machine(Settings settings, const std::vector<Group>& groups, std::vector<Lane> lanes)
    : settings_(settings), lanes_(std::move(lanes)) {
  for (const Group& group : groups) at_once_.push_back(group.at_once);
}

std::vector<Action> Machine::look(const Pool& pool, base::Now now) {
  assert(!stopped_);
  std::vector<Action> actions;
  for (std::size_t at = 0; at < lanes_.size(); ++at) judge(at, pool, now, actions);
  begin(pool, now, actions);
  return actions;
}

void Machine::begin(const Pool& pool, base::Now now, std::vector<Action>& actions) {
  for (std::size_t at = 0; at < lanes_.size() && !halting_; ++at) {
    Lane& lane = lanes_[at];
    if (lane.phase != Phase::Waiting) continue;
    const bool others = std::any_of(lanes_.begin(), lanes_.end(), [&](const Lane& each) {
      return each.active() && each.group != lane.group;
    });
    if (others || active() >= at_once_[lane.group]) return;
    const Server* server = find(pool, lane.server);
    const auto why =
        server == nullptr ? std::string("it is no longer in the pool") : unready(*server, now.wall);
    if (why && settings_.skip_unready) {
      lane.phase = Phase::Skipped;
      lane.trouble = *why;
      say(Step::Kind::Skipped, at);
      continue;
    }
    if (why) return failed(at, Exit::Failed, *why);
    // With nobody on the way the floor is the authority's to refuse by.
    if (active() > 0 && !has_room(lane, pool)) return;
    enter(lane, Phase::Draining, now);
    actions.push_back({Action::Kind::Drain, at});
  }
}

// Whether the floors let it go beside those whose leaving the pool does not show yet.
bool Machine::has_room(const Lane& lane, const Pool& pool) const {
  std::vector<std::string> leaving{lane.server};
  for (const Lane& each : lanes_) {
    if (each.active() && each.phase == Phase::Draining) leaving.push_back(each.server);
  }
  return room_for(pool, leaving).servers == leaving.size();
}

std::size_t Machine::active() const {
  return static_cast<std::size_t>(
      std::count_if(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.active(); }));
}

void Machine::enter(Lane& lane, Phase phase, base::Now now) {
  lane.phase = phase;
  lane.since = now.mono;
  lane.waits_for.clear();
  lane.waits_brief.clear();
  lane.waits_mark.clear();
}

void Machine::drained(std::size_t at, base::Now now) {
  // The hold itself, with its time, is seen at the next look; from then on it is ours alone.
  lanes_[at].since = now.mono;
  say(Step::Kind::Drained, at);
}

void Machine::refused(std::size_t at, Exit exit, bool by_floor, const std::string& why) {
  Lane& lane = lanes_[at];
  lane.phase = Phase::Waiting;
  const std::size_t others = active();
  if (!by_floor || others == 0) return failed(at, exit, why);
  at_once_[lane.group] = others;
}

void Machine::started(std::size_t at, base::Now now) {
  enter(lanes_[at], Phase::Running, now);
  say(Step::Kind::Command, at);
}

void Machine::ran(std::size_t at, int status, base::Now now) {
  Lane& lane = lanes_[at];
  lane.command = status;
  lane.command_took = passed(lane.since, now);
  say(Step::Kind::CommandEnded, at);
  enter(lane, status == 0 ? Phase::Resuming : Phase::Leaving, now);
  if (status != 0) failed(at, Exit::Failed, "the command ended with " + std::to_string(status));
}

void Machine::resumed(std::size_t at, base::Now now) {
  Lane& lane = lanes_[at];
  lane.hold_since.reset();
  if (std::exchange(lane.put_back, false)) {
    lane.phase = Phase::Waiting;
    return say(Step::Kind::PutBack, at);
  }
  enter(lane, Phase::Returning, now);
  say(Step::Kind::Resumed, at);
}

void Machine::failed(std::size_t at, Exit exit, const std::string& why) {
  Lane& lane = lanes_[at];
  lane.stopped = true;
  lane.trouble = why;
  say(Step::Kind::Stopped, at);
  halt(exit, lane.server + ": " + why);
}

void Machine::halt(Exit exit, const std::string& why) {
  halting_ = true;
  if (exit_ != Exit::Done) return;
  exit_ = exit;
  trouble_ = why;
}

void Machine::stop(Exit exit, const std::string& why) {
  stopped_ = true;
  halt(exit, why);
}

bool Machine::runs_commands() const {
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [](const Lane& lane) { return lane.phase == Phase::Running; });
}

bool Machine::over() const {
  if (stopped_) return !runs_commands();
  const bool waits = std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) {
    return lane.phase == Phase::Waiting && !lane.stopped;
  });
  return active() == 0 && (halting_ || !waits);
}

std::vector<Step> Machine::take_steps() {
  return std::exchange(steps_, {});
}

}  // namespace sluice::ctl::rolling
