#pragma once

#include <memory>
#include <optional>
#include <string>

#include <uv.h>

#include "config/base/timer.h"
#include "tools/sluice-agent/checks/probe.h"
#include "tools/sluice-agent/checks/sip_question.h"
#include "tools/sluice-agent/checks/tcp_opening.h"

namespace sluice::agent {

// OPTIONS over TCP: one connection, one request, closed after its answer.
class SipTcpProbe final : public Probe {
 public:
  SipTcpProbe(uv_loop_t* loop, const config::SipCheck& check, base::Duration limit, Done done);

  std::optional<base::SocketAddress> local() const override;

 private:
  void on_open();
  void read();
  void on_octets();
  void finish(std::string failure);

  SipQuestion question_;
  std::string chunk_;     // where libuv puts what comes next
  std::string received_;  // what is not judged yet
  std::optional<TcpOpening> opening_;
  base::Timer limit_;
};

}  // namespace sluice::agent
