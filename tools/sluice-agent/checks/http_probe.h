#pragma once

#include <string>
#include <vector>

#include "config/agent_model.h"
#include "tools/sluice-agent/checks/probe.h"
#include "tools/sluice-agent/http_client.h"

namespace sluice::agent {

// One GET over a connection of its own, which also tells whether new ones are taken.
class HttpProbe final : public Probe {
 public:
  HttpProbe(uv_loop_t* loop, const config::HttpCheck& check, base::Duration limit, Done done);

  std::optional<base::SocketAddress> local() const override;

 private:
  void judge(const base::Checked<HttpAnswer>& answer);

  std::vector<std::uint16_t> wanted_;
  HttpClient client_;
};

}  // namespace sluice::agent
