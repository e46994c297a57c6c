#pragma once

#include <cstdint>
#include <span>

#include "dns/answer/serving.h"

namespace sluice::dns {

// Fetches what the answers to these queries will be made of into the caches, for all of them side
// by side. Where names are many, an answer waits for memory four times, one after another: the hash
// slot, the name's node, the table's page, the rendered set; that is several times what its
// instructions take. Changes nothing, and no answer depends on it. Does nothing where names are so
// few that they stay in the caches by themselves. At most kMaxWarm queries. Pure, as respond().
inline constexpr std::size_t kMaxWarm = 64;
void warm(const ServingSnapshot& snapshot,
          std::span<const std::span<const std::uint8_t>> queries) noexcept;

}  // namespace sluice::dns
