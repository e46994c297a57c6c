#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "tools/sluice-agent/control_protocol.h"
#include "tools/sluice-agent/heartbeat_document.h"
#include "tools/sluice-agent/host_state.h"

namespace sluice::agent {

// The pauses that this host's administrators place and lift. Pure but for what it is given.
//
// A pause is asked of the authority first: it goes out with the next push, and only when the reply
// says that each of its services is held it is kept on disk and the administrator told "done". A
// refusal of one service drops the pause on all that this request named; so does an authority that
// cannot be reached, unless the pause is forced: that one is kept on disk before it is pushed and
// stays. An agent that dies in between has kept nothing, its next push says "not paused", and the
// authority lifts what it may have placed.
//
// Requests are served one after the other, each for at most kPatience.
class HostHolds {
 public:
  using Reply = std::function<void(ControlAnswer)>;
  struct World {
    // Writes the state to disk. Who cannot undo what he did may ignore a failure: it is logged and
    // the write tried again.
    std::function<base::Checked<base::Done>()> keep;
    std::function<void()> push;  // as soon as possible
    // What runs of a service now, boot id "/" unit instance; nothing when that is not known.
    std::function<std::optional<std::string>(const std::string& service)> instance;
  };

  // How long a request waits for an authority that answers but does not confirm.
  static constexpr base::Duration kPatience = std::chrono::seconds(10);
  // Tries that must have failed since a request came, before the authority counts as out of reach:
  // one lost packet, or an authority that is just being restarted, refuses nobody.
  static constexpr unsigned kTries = 3;

  // `services`: those that this agent pushes. `state` is changed in place and outlives this.
  HostHolds(HostState& state, std::vector<std::string> services, std::size_t authorities,
            World world);

  // Pause or resume. `by` is the peer's name. `reply` may be called before this returns.
  void ask(const ControlRequest& request, const std::string& by, base::Now now, Reply reply);

  // What the next push says of a service; the caller tells that push's seq by pushed().
  std::optional<health::HostPause> paused(std::string_view service) const;
  void pushed(std::uint64_t seq);

  // The outcome of a push. Returns the services whose pause was dropped because of this reply:
  // what it says of `held` is over for them.
  std::set<std::string, std::less<>> answered(std::uint64_t seq, const HeartbeatReply& reply,
                                              base::Now now);
  // One try of one authority failed.
  void failed(const std::string& why, base::Now now);
  void tick(base::Now now);  // at least once a second while busy()

  bool busy() const noexcept { return active_.has_value(); }

 private:
  struct Request {
    ControlRequest control;
    std::string by;
    Reply reply;
    std::vector<std::string> services;       // that it names
    std::vector<std::string> changed;        // those of them whose pause it places or lifts
    std::optional<health::HostPause> asked;  // of a pause that waits for the authority's word
    base::MonoTime deadline{};
    std::optional<std::uint64_t> first_seq;  // of the first push that has it
    unsigned failures = 0;
    unsigned held_answers = 0;  // of a resume: replies that still say held
  };

  void enqueue(Request request);
  void start_next();
  void start_pause();
  void start_resume();
  void judge_pause(const HeartbeatReply& reply, std::set<std::string, std::less<>>& dropped);
  void judge_resume(const HeartbeatReply& reply);
  void drop_standing(const HeartbeatReply& reply, std::set<std::string, std::less<>>& dropped);
  base::Checked<base::Done> accept();
  void cannot_keep(const base::Error& error);
  void give_up(ExitCode exit, const std::string& why);
  void answer(ExitCode exit, std::string text);
  bool is_paused(std::string_view service) const;
  std::vector<std::string> named_by(const ControlRequest& control) const;

  HostState& state_;
  std::vector<std::string> services_;
  std::size_t authorities_;
  World world_;
  std::optional<Request> active_;
  std::deque<Request> waiting_;
  base::Now now_{};  // of the call under way
  std::uint64_t generation_ = 0;
};

}  // namespace sluice::agent
