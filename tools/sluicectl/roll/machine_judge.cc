#include <string>
#include <vector>

#include "tools/sluicectl/render/duration_words.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/render/words.h"
#include "tools/sluicectl/roll/machine.h"

// What a look at one server means for its way.
namespace sluice::ctl::rolling {
namespace {

// A hold of the whole server as drain() places it. Which one, where several rolls may have placed
// theirs, is told by when it was placed.
bool is_ours(const Hold& hold, const Lane& lane) {
  return hold.scope == "server" && hold.origin == "operator" && hold.reason == kReason &&
         (!lane.hold_since || hold.since == lane.hold_since);
}

// The holds on a server, as far as it matters whose they are.
struct Holds {
  const Hold* ours = nullptr;
  const Hold* foreign = nullptr;
};
Holds holds_of(const Server& server, const Lane& lane) {
  Holds found;
  for (const Service& service : server.services) {
    for (const Hold& hold : service.holds) {
      (is_ours(hold, lane) ? found.ours : found.foreign) = &hold;
    }
  }
  return found;
}

std::string not_accepting(const Server& server) {
  std::vector<std::string> others;
  for (const Service& service : server.services) {
    if (service.status == "accepting" && service.forced != "down") continue;
    others.push_back(service.name + " " + status_words(service, server));
  }
  return joined(others, ", ");
}

}  // namespace

void Machine::judge(std::size_t at, const Pool& pool, base::Now now, std::vector<Action>& actions) {
  Lane& lane = lanes_[at];
  if (!lane.active() || lane.phase == Phase::Running) return;
  // Restored on its way: its waits begin now.
  if (lane.since == base::MonoTime{}) lane.since = now.mono;
  const Server* server = find(pool, lane.server);
  if (server == nullptr) return failed(at, Exit::Failed, "it is no longer in the pool");
  switch (lane.phase) {
    case Phase::Draining:
      return judge_draining(at, *server, now, actions);
    case Phase::Leaving:
      return judge_leaving(at, *server, now, actions);
    case Phase::Resuming:
      return judge_resuming(at, *server, now, actions);
    default:
      return judge_returning(at, *server, now);
  }
}

void Machine::judge_draining(std::size_t at, const Server& server, base::Now now,
                             std::vector<Action>& actions) {
  Lane& lane = lanes_[at];
  const Holds holds = holds_of(server, lane);
  if (holds.ours != nullptr) {
    lane.hold_since = holds.ours->since;
    enter(lane, Phase::Leaving, now);
    return judge_leaving(at, server, now, actions);
  }
  lane.hold_since.reset();
  if (holds.foreign != nullptr) {
    lane.phase = Phase::Waiting;
    return failed(at, Exit::Failed,
                  "held by somebody else: " + hold_words(*holds.foreign, now.wall));
  }
  if (halting_) {
    lane.phase = Phase::Waiting;
    return;
  }
  actions.push_back({Action::Kind::Drain, at});
}

void Machine::judge_leaving(std::size_t at, const Server& server, base::Now now,
                            std::vector<Action>& actions) {
  Lane& lane = lanes_[at];
  const Holds holds = holds_of(server, lane);
  if (holds.ours == nullptr) {
    lane.phase = Phase::Waiting;
    return failed(at, Exit::Failed, "the hold was lifted by somebody else");
  }
  lane.hold_since = holds.ours->since;
  if (halting_) {
    lane.put_back = true;
    enter(lane, Phase::Resuming, now);
    return judge_resuming(at, server, now, actions);
  }
  const Verdict& verdict = server.verdict;
  lane.waits_for = waiting_words(verdict, now.wall, true);
  std::vector<const Service*> services;
  for (const Service& service : server.services) services.push_back(&service);
  lane.waits_brief = brief_waiting_words(verdict, services, now.wall);
  lane.waits_mark = waiting_words(verdict, now.wall, false);
  if (verdict.safe_to_stop) {
    lane.drained_in = passed(lane.since, now);
    say(Step::Kind::Safe, at);
    actions.push_back({Action::Kind::Run, at});
  } else if (verdict.hopeless()) {
    failed(at, Exit::Refused, "nothing more to wait for, yet not safe: " + lane.waits_for);
  } else if (late(lane, now)) {
    failed(at, Exit::TimedOut,
           "not safe after " + spoken(*settings_.limit) + ": " + lane.waits_for);
  }
}

void Machine::judge_resuming(std::size_t at, const Server& server, base::Now now,
                             std::vector<Action>& actions) {
  const Holds holds = holds_of(server, lanes_[at]);
  // A resume of the server would lift a hold of its host's, too.
  if (holds.foreign != nullptr) {
    return failed(at, Exit::Failed,
                  "not resumed, it is held by somebody else as well: " +
                      hold_words(*holds.foreign, now.wall));
  }
  if (holds.ours == nullptr) return resumed(at, now);
  actions.push_back({Action::Kind::Resume, at});
}

void Machine::judge_returning(std::size_t at, const Server& server, base::Now now) {
  Lane& lane = lanes_[at];
  const Holds holds = holds_of(server, lane);
  const Hold* hold = holds.foreign != nullptr ? holds.foreign : holds.ours;
  if (hold != nullptr) {
    return failed(at, Exit::Failed, "held by somebody else: " + hold_words(*hold, now.wall));
  }
  if (!accepts(server)) {
    lane.waits_for = lane.waits_brief = lane.waits_mark = not_accepting(server);
    if (lane.phase == Phase::Soaking) {
      lane.phase = Phase::Returning;
      say(Step::Kind::SoakAnew, at);
    }
  } else if (lane.phase == Phase::Returning) {
    lane.phase = Phase::Soaking;
    lane.soaks_since = now.mono;
    lane.accepting_after = passed(lane.since, now);
    say(Step::Kind::Accepting, at);
  }
  if (lane.phase == Phase::Soaking) {
    const base::Duration left = settings_.soak - passed(lane.soaks_since, now);
    if (left <= base::Duration{0}) {
      lane.phase = Phase::Done;
      return say(Step::Kind::Done, at);
    }
    lane.waits_for = lane.waits_brief = "soaks another " + spoken(left);
    lane.waits_mark = "soaks";
  }
  if (late(lane, now)) {
    failed(at, Exit::TimedOut,
           "not accepting" + std::string(lane.phase == Phase::Soaking ? " for long enough" : "") +
               " after " + spoken(*settings_.limit) + ": " + lane.waits_for);
  }
}

bool Machine::late(const Lane& lane, base::Now now) const {
  return settings_.limit && passed(lane.since, now) >= *settings_.limit;
}

}  // namespace sluice::ctl::rolling
