#include "tools/sluice-agent/sessions/flow_counts.h"

#include <algorithm>
#include <utility>

namespace sluice::agent {
namespace {

// FNV-1a, 32 bits.
std::uint32_t hash_of(const base::SocketAddress& end) {
  std::uint32_t hash = 2'166'136'261U;
  const auto mix = [&hash](unsigned octet) { hash = (hash ^ octet) * 16'777'619U; };
  for (const std::uint8_t octet : end.address.octets()) mix(octet);
  mix(end.port & 0xffU);
  mix(end.port >> 8U);
  return hash;
}

}  // namespace

FlowList::FlowList(std::vector<std::uint16_t> ports, std::vector<base::Prefix> local,
                   std::vector<base::SocketAddress> own)
    : ports_(std::move(ports)), local_(std::move(local)), own_(std::move(own)) {
  std::sort(ports_.begin(), ports_.end());
}

bool FlowList::is_local(const base::IpAddress& address) {
  if (last_local_ == address) return true;
  const bool local = std::any_of(local_.begin(), local_.end(), [&](const base::Prefix& prefix) {
    return prefix.contains(address);
  });
  if (local) last_local_ = address;
  return local;
}

void FlowList::add(const Flow& flow) {
  if (!flow.answered) return;
  const std::uint16_t port = flow.destination.port;
  if (!std::binary_search(ports_.begin(), ports_.end(), port)) return;
  if (!is_local(flow.destination.address)) return;
  (flow.destination.address.is_v4() ? any_v4_ : any_v6_) = true;
  if (std::find(own_.begin(), own_.end(), flow.source) != own_.end()) return;
  keys_.push_back({(std::uint64_t{flow.id} << 32U) | hash_of(flow.source), port});
}

std::vector<FlowList::Key> FlowList::take() {
  std::sort(keys_.begin(), keys_.end());
  keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
  return std::exchange(keys_, {});
}

void FlowCounts::take(std::vector<FlowList::Key> list, base::MonoTime begun) {
  for (auto& [port, count] : counts_) count.flows = 0;
  auto before = list_.begin();
  for (const FlowList::Key& key : list) {
    Count& count = counts_[key.port];
    ++count.flows;
    while (before != list_.end() && *before < key) ++before;
    if (known_ && (before == list_.end() || *before != key)) count.newest = begun;
  }
  list_ = std::move(list);
  known_ = true;
}

void FlowCounts::lose() {
  known_ = false;
  list_ = {};
}

std::optional<FlowCounts::Count> FlowCounts::count(std::span<const std::uint16_t> ports) const {
  if (!known_) return {};
  Count sum;
  for (const std::uint16_t port : ports) {
    const auto found = counts_.find(port);
    if (found == counts_.end()) continue;
    sum.flows += found->second.flows;
    sum.newest = std::max(sum.newest, found->second.newest);
  }
  return sum;
}

}  // namespace sluice::agent
