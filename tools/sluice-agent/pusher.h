#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/timer.h"
#include "tools/sluice-agent/authority_client.h"
#include "tools/sluice-agent/credentials.h"
#include "tools/sluice-agent/heartbeat_document.h"
#include "tools/sluice-agent/log.h"
#include "tools/sluice-agent/push_schedule.h"

namespace sluice::agent {

// Pushes heartbeats: by the schedule, and at once when something has changed.
//
// What an authority may answer, and what follows:
//   200 and a reply  it is the one that we stay with; with `stale` as long as no other answers
//                    without
//   409              it is there and did not take this push (an older seq): the next goes its way
//   401, 403         logged; the token is read anew; the next authority is tried
//   anything else    garbage, 4xx, 5xx, no answer: logged, the next authority is tried
// Nothing of it ends the agent; of each kind one line a minute is logged. A look at another
// authority (PushSchedule) that comes to nothing is not logged, and its reply is left: the one that
// we are with is asked at once.
class Pusher {
 public:
  // The least time between two pushes that changes ask for: a service that flaps pushes at most ten
  // times a second.
  static constexpr base::Duration kLeastGap = std::chrono::milliseconds(100);

  struct Settings {
    std::vector<std::string> authorities;
    std::string server;
    base::Duration heartbeat{0};
  };
  struct Events {
    std::function<std::string(std::uint64_t seq)> document;
    std::function<void(std::uint64_t seq, const HeartbeatReply&)> answered;
    std::function<void()> failed;  // one try of one authority
  };

  Pusher(uv_loop_t* loop, Settings settings, Credentials& credentials, Events events,
         const base::Clock& clock);

  // Pushes now, or as soon as kLeastGap and a push under way allow.
  void push();
  // The same for somebody who waits: the pauses between tries start small again.
  void hurry();

  // The one that we are with, or try.
  const std::string& authority() const { return settings_.authorities[schedule_.authority()]; }
  // It answers and is cut off from its cluster.
  bool stale() const noexcept { return schedule_.stale(); }
  bool connected() const noexcept { return state_ == State::Found; }
  const std::string& last_failure() const noexcept { return last_failure_; }
  base::Duration lease() const noexcept { return schedule_.lease(); }

 private:
  enum class State : std::uint8_t { Starting, Found, Lost };

  void send();
  void on_done(std::uint64_t seq, base::Checked<HttpAnswer> answer);
  void on_looked(std::uint64_t seq, const base::Checked<HttpAnswer>& answer);
  void succeed(base::Duration lease, bool stale);
  void fail(const std::string& kind, const std::string& reason);
  void plan(base::Duration delay);
  std::uint64_t next_seq();

  Settings settings_;
  Credentials& credentials_;
  Events events_;
  const base::Clock& clock_;
  PushSchedule schedule_;
  AuthorityClient client_;
  base::Timer timer_;
  LogLimit log_;
  State state_ = State::Starting;
  std::string answered_by_;
  std::string last_failure_;
  std::uint64_t last_seq_ = 0;
  std::optional<base::MonoTime> last_send_;
  bool again_ = false;    // push() was called while one was under way
  bool hurried_ = false;  // the next push has a change that is not to wait
};

}  // namespace sluice::agent
