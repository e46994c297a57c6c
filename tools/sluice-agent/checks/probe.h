#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "config/base/address.h"

namespace sluice::agent {

// One run of a check over the network. It never blocks the loop; destroying it ends the run, and
// its `done` is not called any more.
class Probe {
 public:
  // An empty text: passed in time. Called once, from the loop; it may destroy the probe.
  using Done = std::function<void(const std::string& failure)>;

  explicit Probe(Done done) : done_(std::move(done)) {}
  virtual ~Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  // The probe's own end, so that it is not taken for somebody's session.
  virtual std::optional<base::SocketAddress> local() const = 0;

 protected:
  // The last thing that a probe does. `failure` is a copy: what it came from may end with the
  // probe.
  void tell(std::string failure) {
    const Done done = std::exchange(done_, nullptr);
    done(failure);
  }

 private:
  Done done_;
};

}  // namespace sluice::agent
