#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/address.h"
#include "config/base/clock.h"
#include "config/base/error.h"

namespace sluice::agent {

// How long a reading may take. A count belongs to the present: with the wait for the next push it
// is never older than the usual lease of three heartbeats.
inline base::Duration counter_limit(base::Duration heartbeat) {
  return 2 * heartbeat;
}

// One number of a service's sessions that is read once a heartbeat, from wherever.
//
// A number that rose tells that a session came, at least one; whether one came while another ended
// it cannot tell. Nor does the first number after none was known: what it counts may be old.
class Counter {
 public:
  Counter() = default;
  virtual ~Counter() = default;
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  // Begins a reading, unless one is under way.
  virtual void read(base::MonoTime now) = 0;
  // Our ends of connections that the reading has open: they are nobody's sessions.
  virtual std::vector<base::SocketAddress> own_connections() const { return {}; }

  // Of the last reading that ended; nothing when it failed, or before the first has ended.
  std::optional<std::uint64_t> count() const noexcept { return count_; }
  // Why the count is not known; empty when it is, or before the first reading has ended.
  const std::string& failure() const noexcept { return failure_; }
  // When the reading began that first showed the latest rise.
  std::optional<base::MonoTime> newest() const noexcept { return newest_; }

 protected:
  // What a reading that began at `begun` has ended with.
  void tell(base::Checked<std::uint64_t> count, base::MonoTime begun);

 private:
  std::optional<std::uint64_t> count_;
  std::string failure_;
  std::optional<base::MonoTime> newest_;
};

}  // namespace sluice::agent
