#include "tools/sluice-agent/checks/tcp_probe.h"

#include <utility>

namespace sluice::agent {

TcpProbe::TcpProbe(uv_loop_t* loop, const base::SocketAddress& target, base::Duration limit,
                   Done done)
    : limit_(loop, [this] { finish("no connection in time"); }), done_(std::move(done)) {
  limit_.start(limit);
  opening_.emplace(loop, target, [this](const std::string& failure) { finish(failure); });
}

std::optional<base::SocketAddress> TcpProbe::local() const {
  return opening_ ? opening_->local() : std::nullopt;
}

// `failure` may belong to the opening, which ends here: a copy goes on.
void TcpProbe::finish(const std::string& failure) {
  const std::string text = failure;
  limit_.stop();
  opening_.reset();
  const Done done = std::exchange(done_, nullptr);
  done(text);
}

}  // namespace sluice::agent
