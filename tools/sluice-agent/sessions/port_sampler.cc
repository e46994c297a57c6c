#include "tools/sluice-agent/sessions/port_sampler.h"

#include <algorithm>
#include <utility>

namespace sluice::agent {

base::Checked<base::Done> PortSampler::sample(base::MonoTime now,
                                              std::span<const base::SocketAddress> own) {
  const auto connections = established_connections(ports_);
  if (!connections) {
    lose();
    return base::Unexpected{connections.error()};
  }
  take(*connections, now, own);
  return base::Done{};
}

void PortSampler::take(std::span<const Connection> connections, base::MonoTime now,
                       std::span<const base::SocketAddress> own) {
  for (auto& [port, count] : counts_) count.connections = 0;
  std::vector<std::uint64_t> cookies;
  cookies.reserve(connections.size());
  for (const Connection& connection : connections) {
    if (std::find(own.begin(), own.end(), connection.remote) != own.end()) continue;
    Count& count = counts_[connection.local_port];
    ++count.connections;
    if (known_ && !std::binary_search(cookies_.begin(), cookies_.end(), connection.cookie)) {
      count.newest = now;
    }
    cookies.push_back(connection.cookie);
  }
  std::sort(cookies.begin(), cookies.end());
  cookies_ = std::move(cookies);
  known_ = true;
}

std::optional<PortSampler::Count> PortSampler::count(std::span<const std::uint16_t> ports) const {
  if (!known_) return {};
  Count sum;
  for (const std::uint16_t port : ports) {
    const auto found = counts_.find(port);
    if (found == counts_.end()) continue;
    sum.connections += found->second.connections;
    sum.newest = std::max(sum.newest, found->second.newest);
  }
  return sum;
}

}  // namespace sluice::agent
