#include "tools/sluice-agent/supervision.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sluice::agent {
namespace {

// Somebody waits for `systemctl start`.
constexpr base::Duration kUntilReady = std::chrono::milliseconds(50);
// How late `systemctl status` may be.
constexpr base::Duration kStatus = std::chrono::seconds(2);

// Three looks in the supervisor's time, so that one that comes late does not matter.
base::Duration interval_of(const Supervisor& supervisor) {
  if (!supervisor.watchdog()) return kStatus;
  return std::clamp(*supervisor.watchdog() / 3, base::Duration(1), kStatus);
}

}  // namespace

Supervision::Supervision(uv_loop_t* loop, Supervisor supervisor,
                         std::function<std::optional<std::string>()> standing)
    : supervisor_(std::move(supervisor)),
      standing_(std::move(standing)),
      timer_(loop, [this] { look(); }) {
  if (supervisor_.listens()) timer_.start(kUntilReady, kUntilReady);
}

Supervision::~Supervision() {
  supervisor_.stopping("stopping");
}

void Supervision::look() {
  auto standing = standing_();
  if (!told_) {
    if (!standing) return;
    supervisor_.ready(*standing);
    timer_.start(interval_of(supervisor_), interval_of(supervisor_));
  } else {
    supervisor_.alive();
    if (standing && standing != told_) supervisor_.status(*standing);
  }
  if (standing) told_ = std::move(standing);
}

}  // namespace sluice::agent
