#include "tools/sluice-agent/push_schedule.h"

#include <algorithm>
#include <utility>

namespace sluice::agent {
namespace {

base::Duration share_of(base::Duration duration, double share) {
  return base::Duration(
      static_cast<base::Duration::rep>(static_cast<double>(duration.count()) * share));
}

}  // namespace

PushSchedule::PushSchedule(std::size_t authorities, base::Duration heartbeat,
                           std::function<double()> random)
    : authorities_(authorities),
      heartbeat_(heartbeat),
      random_(std::move(random)),
      lease_(3 * heartbeat) {}

base::Duration PushSchedule::interval() const noexcept {
  return std::min(heartbeat_, lease_ / 3);
}

base::Duration PushSchedule::timeout() const noexcept {
  // Never so short that a loaded host fails by itself.
  return std::max(interval() / 2, base::Duration(20));
}

std::size_t PushSchedule::choose(base::MonoTime now, bool hurried) {
  look_.reset();
  if (hurried || !look_is_due(now)) return authority_;
  const std::size_t all = candidates();
  const std::size_t turn = looks_ % all;
  look_ = turn < authority_ ? turn : turn + 1;
  ++looks_;
  // From one that is cut off all others are looked at one after the other, then there is a pause.
  const bool rests = !stale_ || looks_ % all == 0;
  if (rests) look_at_ = now + share_of(between_looks(), 0.75 + random_() / 2);
  return *look_;
}

bool PushSchedule::look_is_due(base::MonoTime now) const {
  return settled_ && candidates() > 0 && now >= look_at_;
}

base::Duration PushSchedule::on_answer(base::MonoTime now, base::Duration lease, bool stale) {
  if (const auto looked = std::exchange(look_, std::nullopt)) {
    // No better than where the agent is.
    if (stale) return base::Duration::zero();
    judge_the_last_look(now);
    authority_ = *looked;
    lease_ = lease;
    settle(now, true, false);
    return interval();
  }
  lease_ = lease;
  failures_ = 0;
  rounds_ = 0;
  lost_ = false;
  if (!settled_) {
    settle(now, false, stale);
  } else if (stale != stale_) {
    if (stale) judge_the_last_look(now);
    settle(now, by_look_, stale);
  }
  return interval();
}

base::Duration PushSchedule::on_failure(base::MonoTime now) {
  if (std::exchange(look_, std::nullopt)) return base::Duration::zero();
  if (settled_) judge_the_last_look(now);
  settled_ = false;
  stale_ = false;
  authority_ = (authority_ + 1) % authorities_;
  if (++failures_ < authorities_) return base::Duration::zero();
  failures_ = 0;
  lost_ = true;
  const base::Duration longest = lease_ / 6;
  base::Duration pause = lease_ / 60;
  for (unsigned i = 0; i < rounds_ && pause < longest; ++i) pause *= 2;
  ++rounds_;
  pause = std::min(pause, longest);
  return share_of(pause, 0.5 + random_() / 2);
}

void PushSchedule::settle(base::MonoTime now, bool by_look, bool stale) {
  settled_ = true;
  by_look_ = by_look;
  stale_ = stale;
  since_ = now;
  looks_ = 0;
  look_at_ = stale ? now : now + share_of(between_looks(), 0.75 + random_() / 2);
}

void PushSchedule::judge_the_last_look(base::MonoTime now) {
  if (!by_look_) return;
  const bool too_soon = now - since_ < between_looks();
  patience_ = too_soon ? std::min(2 * patience_, kMostLooks) : 1;
}

}  // namespace sluice::agent
