#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace sluice::dns {

using SipKey = std::array<std::uint8_t, 16>;

// From the kernel: for start-up, not for a query.
SipKey random_sip_key();

// SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"): a keyed hash that nobody
// without the key can steer. By hand, since a library sets up a context for each message, and these
// have 20 to 40 octets.
std::uint64_t siphash(const SipKey& key, std::span<const std::uint8_t> message) noexcept;

// The eight octets of a hash as they are sent (RFC 9018 section 4.4): the lowest first.
void store_siphash(std::uint8_t* at, std::uint64_t hash) noexcept;

}  // namespace sluice::dns
