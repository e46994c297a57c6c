#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <uv.h>

#include "config/agent_model.h"
#include "config/base/address.h"
#include "config/base/clock.h"

namespace sluice::agent {

// One run of a check over the network. It never blocks the loop; destroying it ends the run, and
// its `done` is not called any more.
class Probe {
 public:
  // An empty text: passed in time. Called once, from the loop; it may destroy the probe.
  using Done = std::function<void(const std::string& failure)>;

  Probe() = default;
  virtual ~Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  // The probe's own end, so that it is not taken for somebody's session.
  virtual std::optional<base::SocketAddress> local() const = 0;
};

}  // namespace sluice::agent
