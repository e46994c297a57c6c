#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "config/base/clock.h"

namespace sluice::agent {

// When the next push goes out and to which authority. Pure.
//
// The agent stays with the authority that answered last. When it fails, the others are tried at
// once, one after the other; when all have failed, a pause follows that doubles from a sixtieth to
// a sixth of the lease, each time cut by a random part of up to half, so that the agents of a pool
// do not return as one. From the last answer on, three tries fit in a lease even when each of them
// hangs: (1/3 + 3/6 + 1/60 + 2/60) of a lease.
//
// Looks. Authorities are listed from near to far. Who has ended up with a far one sends it a push
// less now and then (kLookAfter intervals, a quarter more or less) and a nearer one that push in
// its place: a real one. When that takes it, the agent stays there; when not, the one that it is
// with gets the next push at once. So a look delays a push by one timeout at most, and nobody but
// those two is pushed to. An authority that answers and is cut off from its cluster (stale) can
// tell nobody: the others are looked at with the next pushes, near or far, and one that is not cut
// off is kept; if there is none, the agent stays where it is and looks again as above. Who had to
// leave again within the time between two looks waits twice as long before the next one, up to
// kMostLooks times: an authority that comes and goes is not followed.
//
// Worst, with `n` authorities: a look that hangs, then everybody but the last one hangs. The last
// one is pushed to (1/3 + 1/6 + (n-1)/6) of a lease after the last answer: 2/3 with two, 5/6 with
// three, and has a timeout left to answer. Without a look a fourth one has that, too.
class PushSchedule {
 public:
  // Intervals between two looks; 30 s with heartbeats of 2 s.
  static constexpr int kLookAfter = 15;
  static constexpr int kMostLooks = 16;

  // `random` gives numbers 0..1. Until an authority tells its lease it is taken as three
  // heartbeats.
  PushSchedule(std::size_t authorities, base::Duration heartbeat, std::function<double()> random);

  // Whom the push that goes out now is for, 0..authorities-1. `hurried`: somebody waits for it, so
  // that it is no look.
  std::size_t choose(base::MonoTime now, bool hurried);
  // Whether that push is a look.
  bool looking() const noexcept { return look_.has_value(); }

  // The authority that the agent is with, or tries, looks apart.
  std::size_t authority() const noexcept { return authority_; }
  // How long a push may take: half a heartbeat, or a sixth of a short lease.
  base::Duration timeout() const noexcept;
  // Between pushes: the heartbeat, or a third of a short lease.
  base::Duration interval() const noexcept;
  base::Duration lease() const noexcept { return lease_; }

  // What came of the push of the last choose(); the time until the next push.
  // `stale`: by an authority that is cut off from its cluster.
  base::Duration on_answer(base::MonoTime now, base::Duration lease, bool stale);
  base::Duration on_failure(base::MonoTime now);
  // Somebody waits for the next push: the pauses between rounds start small again.
  void hurry() noexcept { rounds_ = 0; }

  // All authorities have failed since one last answered.
  bool lost() const noexcept { return lost_; }
  // The authority that the agent is with is cut off.
  bool stale() const noexcept { return stale_; }

 private:
  // Those that are better than the one that the agent is with, if they answer as they should.
  std::size_t candidates() const noexcept { return stale_ ? authorities_ - 1 : authority_; }
  bool look_is_due(base::MonoTime now) const;
  void settle(base::MonoTime now, bool by_look, bool stale);
  // The agent has to leave, or wants to.
  void judge_the_last_look(base::MonoTime now);
  base::Duration between_looks() const noexcept { return patience_ * kLookAfter * interval(); }

  std::size_t authorities_;
  base::Duration heartbeat_;
  std::function<double()> random_;
  base::Duration lease_;
  std::size_t authority_ = 0;
  std::size_t failures_ = 0;  // in a row, of this round
  unsigned rounds_ = 0;       // in which all failed, in a row
  bool lost_ = false;
  bool stale_ = false;
  bool settled_ = false;             // `authority_` answered last
  bool by_look_ = false;             // it was found by a look
  base::MonoTime since_;             // since when the agent is with it
  std::optional<std::size_t> look_;  // whom the push under way is for, instead
  base::MonoTime look_at_;           // not before
  std::size_t looks_ = 0;            // since the agent is with it
  int patience_ = 1;
};

}  // namespace sluice::agent
