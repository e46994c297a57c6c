#include "tools/sluice-agent/pusher.h"

#include <algorithm>
#include <ctime>
#include <memory>
#include <random>
#include <utility>

#include <spdlog/spdlog.h>

namespace sluice::agent {
namespace {

std::function<double()> random_numbers() {
  return [engine = std::make_shared<std::minstd_rand>(std::random_device{}())] {
    return std::uniform_real_distribution<double>(0.0, 1.0)(*engine);
  };
}

}  // namespace

Pusher::Pusher(uv_loop_t* loop, Settings settings, Credentials& credentials, Events events,
               const base::Clock& clock)
    : settings_(std::move(settings)),
      credentials_(credentials),
      events_(std::move(events)),
      clock_(clock),
      schedule_(settings_.authorities.size(), settings_.heartbeat, random_numbers()),
      client_(loop),
      timer_(loop, [this] { send(); }) {}

void Pusher::push() {
  if (client_.busy()) {
    again_ = true;
    return;
  }
  hurried_ = true;
  const auto now = clock_.now().mono;
  const auto next = last_send_ ? *last_send_ + kLeastGap : now;
  timer_.start(std::chrono::ceil<base::Duration>(std::max(next, now) - now));
}

void Pusher::hurry() {
  schedule_.hurry();
  push();
}

// CLOCK_BOOTTIME does not jump with the wall clock, counts on while the host sleeps, and so grows
// over the agent's own restarts.
std::uint64_t Pusher::next_seq() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const auto microseconds = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
                            static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
  last_seq_ = std::max(last_seq_ + 1, microseconds);
  return last_seq_;
}

void Pusher::send() {
  if (client_.busy()) return;
  again_ = false;
  last_send_ = clock_.now().mono;
  const std::size_t whom = schedule_.choose(*last_send_, std::exchange(hurried_, false));
  const std::uint64_t seq = next_seq();
  const auto shown = credentials_.current();
  if (!shown) {
    fail("credentials", shown.error().message);
    return;
  }
  client_.put(settings_.authorities[whom] + "/v1/servers/" + settings_.server + "/heartbeat",
              *shown, events_.document(seq), schedule_.timeout(),
              [this, seq](base::Checked<HttpAnswer> answer) { on_done(seq, std::move(answer)); });
}

// Only a reply without `stale` moves us.
void Pusher::on_looked(std::uint64_t seq, const base::Checked<HttpAnswer>& answer) {
  const base::MonoTime now = clock_.now().mono;
  const auto reply = answer && answer->status == 200
                         ? parse_reply(answer->body)
                         : base::Checked<HeartbeatReply>(base::failure("no reply"));
  if (!reply) return plan(schedule_.on_failure(now));
  if (reply->stale) return plan(schedule_.on_answer(now, reply->lease, true));
  succeed(reply->lease, false);
  events_.answered(seq, *reply);
}

void Pusher::on_done(std::uint64_t seq, base::Checked<HttpAnswer> answer) {
  if (schedule_.looking()) return on_looked(seq, answer);
  if (!answer) {
    fail("silent", answer.error().message);
    return;
  }
  if (answer->status == 200) {
    const auto reply = parse_reply(answer->body);
    if (!reply) {
      fail("garbage", "a reply that is none: " + printable(reply.error().message));
      return;
    }
    succeed(reply->lease, reply->stale);
    events_.answered(seq, *reply);
    return;
  }
  const Problem problem = parse_problem(answer->body);
  std::string text = "status " + std::to_string(answer->status);
  if (!problem.rule.empty()) text += " by rule " + problem.rule;
  if (!problem.text.empty()) text += ": " + problem.text;
  if (answer->status == 409) {
    log_.warn("conflict", clock_.now().mono, authority() + " did not take a heartbeat: " + text);
    succeed(schedule_.lease(), schedule_.stale());
    events_.failed();
    return;
  }
  if (answer->status == 401 || answer->status == 403) credentials_.forget_token();
  fail("status " + std::to_string(answer->status), text);
}

void Pusher::succeed(base::Duration lease, bool stale) {
  const bool was_stale = schedule_.stale();
  const base::Duration delay = schedule_.on_answer(clock_.now().mono, lease, stale);
  const bool other = state_ != State::Found || answered_by_ != authority();
  if (other) {
    spdlog::info("{} {} (lease {} ms)", authority(),
                 state_ == State::Lost ? "answers again" : "answers", lease.count());
  }
  if (stale && (other || !was_stale)) {
    spdlog::warn("{} is cut off from its cluster and can tell nobody what is pushed{}", authority(),
                 settings_.authorities.size() > 1 ? ": looking for another" : "");
  } else if (was_stale && !other) {
    spdlog::info("{} is with its cluster again", authority());
  }
  state_ = State::Found;
  answered_by_ = authority();
  last_failure_.clear();
  plan(delay);
}

void Pusher::fail(const std::string& kind, const std::string& reason) {
  const std::string from = authority();
  last_failure_ = from + ": " + reason;
  const base::Duration delay = schedule_.on_failure(clock_.now().mono);
  log_.warn(kind, clock_.now().mono, "heartbeat to " + last_failure_);
  if (schedule_.lost() && state_ != State::Lost) {
    spdlog::error("no authority answers: {}; trying on", last_failure_);
    state_ = State::Lost;
  }
  plan(delay);
  events_.failed();
}

void Pusher::plan(base::Duration delay) {
  timer_.start(delay);
  // What changed while the push was under way is not in it. After a failure the next try has it.
  if (again_ && connected()) push();
}

}  // namespace sluice::agent
