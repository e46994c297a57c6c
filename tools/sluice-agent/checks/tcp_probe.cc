#include "tools/sluice-agent/checks/tcp_probe.h"

#include <utility>

namespace sluice::agent {

TcpProbe::TcpProbe(uv_loop_t* loop, const base::SocketAddress& target, base::Duration limit,
                   Done done)
    : Probe(std::move(done)), limit_(loop, [this] { finish("no connection in time"); }) {
  limit_.start(limit);
  opening_.emplace(loop, target, [this](const std::string& failure) { finish(failure); });
}

std::optional<base::SocketAddress> TcpProbe::local() const {
  return opening_ ? opening_->local() : std::nullopt;
}

void TcpProbe::finish(std::string failure) {
  limit_.stop();
  opening_.reset();
  tell(std::move(failure));
}

}  // namespace sluice::agent
