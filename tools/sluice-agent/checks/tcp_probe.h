#pragma once

#include "config/base/timer.h"
#include "tools/sluice-agent/checks/probe.h"
#include "tools/sluice-agent/checks/tcp_opening.h"

namespace sluice::agent {

// One attempt to connect to a TCP port; closed as soon as it is accepted.
class TcpProbe final : public Probe {
 public:
  TcpProbe(uv_loop_t* loop, const base::SocketAddress& target, base::Duration limit, Done done);

  std::optional<base::SocketAddress> local() const override;

 private:
  void finish(std::string failure);

  std::optional<TcpOpening> opening_;
  base::Timer limit_;
};

}  // namespace sluice::agent
