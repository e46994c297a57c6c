#include "tools/sluice-agent/push_schedule.h"

#include <algorithm>
#include <utility>

namespace sluice::agent {

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

base::Duration PushSchedule::on_answer(base::Duration lease) {
  lease_ = lease;
  failures_ = 0;
  rounds_ = 0;
  lost_ = false;
  return interval();
}

base::Duration PushSchedule::on_failure() {
  authority_ = (authority_ + 1) % authorities_;
  if (++failures_ < authorities_) return base::Duration::zero();
  failures_ = 0;
  lost_ = true;
  const base::Duration longest = lease_ / 6;
  base::Duration pause = lease_ / 60;
  for (unsigned i = 0; i < rounds_ && pause < longest; ++i) pause *= 2;
  ++rounds_;
  pause = std::min(pause, longest);
  const double share = 0.5 + random_() / 2;
  return base::Duration(
      static_cast<base::Duration::rep>(static_cast<double>(pause.count()) * share));
}

}  // namespace sluice::agent
