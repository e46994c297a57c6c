#pragma once

#include <cstddef>
#include <functional>

#include "config/base/clock.h"

namespace sluice::agent {

// When the next push goes out and to which authority. Pure.
//
// The agent stays with the authority that answered last. When it fails, the others are tried at
// once, one after the other; when all have failed, a pause follows that doubles from a sixtieth to
// a sixth of the lease, each time cut by a random part of up to half, so that the agents of a pool
// do not return as one. From the last answer on, three tries fit in a lease even when each of them
// hangs: (1/3 + 3/6 + 1/60 + 2/60) of a lease.
class PushSchedule {
 public:
  // `random` gives numbers 0..1. Until an authority tells its lease it is taken as three
  // heartbeats.
  PushSchedule(std::size_t authorities, base::Duration heartbeat, std::function<double()> random);

  // The authority that is next, 0..authorities-1.
  std::size_t authority() const noexcept { return authority_; }
  // How long a push may take: half a heartbeat, or a sixth of a short lease.
  base::Duration timeout() const noexcept;
  // Between pushes: the heartbeat, or a third of a short lease.
  base::Duration interval() const noexcept;
  base::Duration lease() const noexcept { return lease_; }

  // Both return the time until the next push.
  base::Duration on_answer(base::Duration lease);
  base::Duration on_failure();
  // Somebody waits for the next push: the pauses between rounds start small again.
  void hurry() noexcept { rounds_ = 0; }

  // All authorities have failed since one last answered.
  bool lost() const noexcept { return lost_; }

 private:
  std::size_t authorities_;
  base::Duration heartbeat_;
  std::function<double()> random_;
  base::Duration lease_;
  std::size_t authority_ = 0;
  std::size_t failures_ = 0;  // in a row, of this round
  unsigned rounds_ = 0;       // in which all failed, in a row
  bool lost_ = false;
};

}  // namespace sluice::agent
