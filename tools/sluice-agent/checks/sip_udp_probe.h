#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <uv.h>

#include "config/base/timer.h"
#include "config/base/uv_handle.h"
#include "tools/sluice-agent/checks/probe.h"
#include "tools/sluice-agent/checks/sip_question.h"

namespace sluice::agent {

// OPTIONS over UDP, sent again after 0.5, 1, 2 and then every 4 s until the time limit, since UDP
// loses (RFC 3261 section 17.1.2.2, T1 and T2).
class SipUdpProbe final : public Probe {
 public:
  // `from`: our end in the run before. It is taken again where it is free, so that the kernel's
  // table of flows knows the check as one flow.
  SipUdpProbe(uv_loop_t* loop, const config::SipCheck& check,
              const std::optional<base::SocketAddress>& from, base::Duration limit, Done done);

  std::optional<base::SocketAddress> local() const override { return local_; }

 private:
  // Zero, or libuv's error.
  int open(uv_loop_t* loop, const base::SocketAddress& target,
           const std::optional<base::SocketAddress>& from);
  void send();
  void on_datagram(std::string_view octets);
  void finish(std::string failure);

  SipQuestion question_;
  base::UvHandle<uv_udp_t> socket_;
  std::optional<base::SocketAddress> local_;
  std::string request_;
  std::string buffer_;  // of the answer
  base::Duration wait_;
  base::Timer again_;
  base::Timer limit_;
  std::string no_answer_;
};

}  // namespace sluice::agent
