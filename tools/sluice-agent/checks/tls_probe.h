#pragma once

#include "config/agent_model.h"
#include "tools/sluice-agent/checks/probe.h"
#include "tools/sluice-agent/http_client.h"

namespace sluice::agent {

// One TLS handshake; closed as soon as it is through.
class TlsProbe final : public Probe {
 public:
  TlsProbe(uv_loop_t* loop, const config::TlsCheck& check, base::Duration limit, Done done);

  std::optional<base::SocketAddress> local() const override;

 private:
  std::unique_ptr<HttpClient> client_;  // and with it the connection
};

}  // namespace sluice::agent
