#include "tools/sluice-agent/host_holds.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "tools/sluice-agent/log.h"

namespace sluice::agent {
namespace {

using Command = ControlRequest::Command;

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view be(const std::vector<std::string>& names) {
  return names.size() == 1 ? " is " : " are ";
}

}  // namespace

HostHolds::HostHolds(HostState& state, std::vector<std::string> services, std::size_t authorities,
                     World world)
    : state_(state),
      services_(std::move(services)),
      authorities_(authorities),
      world_(std::move(world)) {}

bool HostHolds::is_paused(std::string_view service) const {
  const auto found = state_.services.find(service);
  return found != state_.services.end() && found->second.pause.has_value();
}

std::optional<health::HostPause> HostHolds::paused(std::string_view service) const {
  if (active_ && active_->asked && contains(active_->changed, service)) return active_->asked;
  const auto found = state_.services.find(service);
  return found == state_.services.end() ? std::nullopt : found->second.pause;
}

void HostHolds::ask(const ControlRequest& request, const std::string& by, base::Now now,
                    Reply reply) {
  now_ = now;
  Request entry;
  entry.control = request;
  entry.by = by;
  entry.reply = std::move(reply);
  enqueue(std::move(entry));
}

// Lifting takes in what was paused while the configuration still had it.
std::vector<std::string> HostHolds::named_by(const ControlRequest& control) const {
  if (control.service) return {*control.service};
  std::vector<std::string> names = services_;
  for (const auto& [name, record] : state_.services) {
    if (control.command == Command::Resume && record.pause && !contains(names, name)) {
      names.push_back(name);
    }
  }
  return names;
}

void HostHolds::enqueue(Request request) {
  request.services = named_by(request.control);
  const auto known = [this](const std::string& name) {
    return contains(services_, name) || is_paused(name);
  };
  if (!std::all_of(request.services.begin(), request.services.end(), known)) {
    request.reply({ExitCode::Failed,
                   list(request.services) +
                       " is no service that this agent pushes; those are: " + list(services_),
                   {}});
    return;
  }
  if (request.services.empty()) {
    request.reply({ExitCode::Failed, "this agent pushes no service", {}});
    return;
  }
  waiting_.push_back(std::move(request));
  start_next();
}

void HostHolds::start_next() {
  if (active_ || waiting_.empty()) return;
  active_ = std::move(waiting_.front());
  waiting_.pop_front();
  active_->deadline = now_.mono + kPatience;
  if (active_->control.command == Command::Pause) {
    start_pause();
  } else {
    start_resume();
  }
}

void HostHolds::start_pause() {
  for (const std::string& service : active_->services) {
    if (!is_paused(service)) active_->changed.push_back(service);
  }
  if (active_->changed.empty()) {
    answer(ExitCode::Done, list(active_->services) + std::string(be(active_->services)) +
                               "paused on this host already; nothing changes");
    return;
  }
  const ControlRequest& control = active_->control;
  active_->asked = health::HostPause{active_->by, control.reason,
                                     std::chrono::floor<std::chrono::seconds>(now_.wall),
                                     control.startup, control.force};
  if (control.force) {
    // What is forced stands, whether an authority can be reached or not.
    if (const auto kept = accept(); !kept) {
      cannot_keep(kept.error());
      return;
    }
  }
  world_.push();
}

// The pause becomes the host's: it is on disk before anybody is told so.
base::Checked<base::Done> HostHolds::accept() {
  health::HostPause pause = *std::exchange(active_->asked, std::nullopt);
  for (const std::string& service : active_->changed) {
    // An authority that hears of it after a restart must know what was paused.
    pause.instance = world_.instance(service);
    state_.services[service].pause = pause;
  }
  auto kept = world_.keep();
  if (kept) {
    spdlog::info("{} paused by {} ({}{})", list(active_->changed), printable(pause.by),
                 pause.force ? "forced: " : "", printable(pause.reason));
  } else {
    for (const std::string& service : active_->changed) state_.services[service].pause.reset();
  }
  return kept;
}

void HostHolds::cannot_keep(const base::Error& error) {
  world_.push();
  answer(ExitCode::Failed, "nothing is held: the pause cannot be kept on disk: " + error.message);
}

void HostHolds::start_resume() {
  std::vector<std::pair<std::string, health::HostPause>> lifted;
  for (const std::string& service : active_->services) {
    if (!is_paused(service)) continue;
    lifted.emplace_back(service, *std::exchange(state_.services[service].pause, std::nullopt));
    active_->changed.push_back(service);
  }
  if (!lifted.empty()) {
    if (const auto kept = world_.keep(); !kept) {
      for (auto& [service, pause] : lifted) state_.services[service].pause = std::move(pause);
      answer(ExitCode::Failed,
             "nothing changes: the state cannot be written to disk: " + kept.error().message);
      return;
    }
    spdlog::info("{} resumed by {}", list(active_->changed), printable(active_->by));
  }
  world_.push();
}

void HostHolds::pushed(std::uint64_t seq) {
  if (active_ && !active_->first_seq) active_->first_seq = seq;
}

std::set<std::string, std::less<>> HostHolds::answered(std::uint64_t seq,
                                                       const HeartbeatReply& reply, base::Now now) {
  now_ = now;
  generation_ = reply.generation;
  std::set<std::string, std::less<>> dropped;
  const bool asked = active_ && active_->first_seq && seq >= *active_->first_seq;
  const bool pause = asked && active_->control.command == Command::Pause;
  // First what this reply says of the pauses that stand; a forced one is among them.
  drop_standing(reply, dropped);
  if (pause) {
    judge_pause(reply, dropped);
  } else if (asked) {
    judge_resume(reply);
  }
  return dropped;
}

void HostHolds::drop_standing(const HeartbeatReply& reply,
                              std::set<std::string, std::less<>>& dropped) {
  for (auto& [name, record] : state_.services) {
    const auto order = reply.services.find(name);
    if (!record.pause || order == reply.services.end()) continue;
    const auto& refused = order->second.refused;
    if (order->second.lift) {
      spdlog::info("{}: the authority lifts this host's pause", name);
    } else if (refused && !record.pause->force) {
      spdlog::warn("{}: the authority refuses this host's pause, it is dropped: {}", name,
                   printable(refused->text()));
    } else {
      continue;
    }
    record.pause.reset();
    dropped.insert(name);
  }
  if (dropped.empty()) return;
  static_cast<void>(world_.keep());  // tried again until it is on disk
  world_.push();
}

void HostHolds::judge_pause(const HeartbeatReply& reply,
                            std::set<std::string, std::less<>>& dropped) {
  std::string refusals;
  bool held = true;
  for (const std::string& service : active_->changed) {
    const auto found = reply.services.find(service);
    if (found == reply.services.end()) {
      held = false;  // not in the push: its health is not known yet
      continue;
    }
    const ServiceOrder& order = found->second;
    if (order.lift) {
      if (active_->asked) dropped.insert(active_->changed.begin(), active_->changed.end());
      active_->asked.reset();
      world_.push();
      answer(ExitCode::Failed, service + " was resumed by an operator in the same moment");
      return;
    }
    if (order.refused) refusals += "\n" + service + ": " + printable(order.refused->text());
    held = held && order.held;
  }
  if (!refusals.empty()) {
    if (active_->asked) dropped.insert(active_->changed.begin(), active_->changed.end());
    give_up(ExitCode::Refused, "the authority refuses" + refusals);
  } else if (held) {
    if (active_->asked) {
      if (const auto kept = accept(); !kept) {
        dropped.insert(active_->changed.begin(), active_->changed.end());
        cannot_keep(kept.error());
        return;
      }
    }
    answer(ExitCode::Done, list(active_->services) + std::string(be(active_->services)) +
                               "held (generation " + std::to_string(generation_) + ")");
  } else {
    // Accepted, and perhaps not in force at each responder yet: ask again.
    world_.push();
  }
}

void HostHolds::judge_resume(const HeartbeatReply& reply) {
  std::string held;
  for (const std::string& service : active_->services) {
    const auto found = reply.services.find(service);
    if (found == reply.services.end() || !found->second.held) continue;
    const std::string& reason = found->second.reason;
    held += "\n" + service + " is still held by the authority" +
            (reason.empty() ? "" : ": " + printable(reason)) +
            "; an operator resumes it with sluicectl";
  }
  // The authority may need a moment to take the pause out of every answer: a second look decides.
  if (!held.empty() && ++active_->held_answers < 2) {
    world_.push();
    return;
  }
  const std::string what = active_->changed.empty()
                               ? "this host held nothing"
                               : "lifted this host's pause on " + list(active_->changed);
  answer(ExitCode::Done, what + " (generation " + std::to_string(generation_) + ")" + held);
}

void HostHolds::failed(const std::string& why, base::Now now) {
  now_ = now;
  if (!active_ || ++active_->failures < std::max<std::size_t>(kTries, authorities_)) return;
  give_up(ExitCode::NoAuthority, "no authority takes this host's pushes (" + why + ")");
}

void HostHolds::tick(base::Now now) {
  now_ = now;
  if (active_ && now.mono >= active_->deadline) {
    give_up(ExitCode::TimedOut, "the authority did not confirm in time");
  }
}

void HostHolds::give_up(ExitCode exit, const std::string& why) {
  if (active_->control.command == Command::Resume) {
    answer(exit, (active_->changed.empty() ? "this host held nothing; "
                                           : "lifted on this host, the authority is told when it "
                                             "answers; ") +
                     why);
  } else if (active_->asked) {
    active_->asked.reset();
    // What the authority may have placed, it lifts when it hears that nothing is paused.
    world_.push();
    answer(exit, "nothing is held: " + why +
                     (exit == ExitCode::NoAuthority
                          ? ", so that the floor cannot be checked; --force holds nevertheless"
                          : ""));
  } else if (exit == ExitCode::NoAuthority) {
    answer(ExitCode::Done, list(active_->changed) + std::string(be(active_->changed)) +
                               "held on this host; the authority is told when it answers: " + why);
  } else {
    answer(exit, "the pause stays on this host by force, but " + why);
  }
}

void HostHolds::answer(ExitCode exit, std::string text) {
  const Request request = *std::exchange(active_, std::nullopt);
  request.reply({exit, std::move(text), {}});
  start_next();
}

}  // namespace sluice::agent
