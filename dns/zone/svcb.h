#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "dns/wire/types.h"

namespace sluice::dns {

// SVCB and HTTPS share their form and meaning (RFC 9460 section 9).
constexpr bool is_svcb(RRType type) noexcept {
  return type == RRType::SVCB || type == RRType::HTTPS;
}

// What is wrong with the RDATA of an SVCB or HTTPS record, in words; empty: nothing. ldns reads the
// text and puts the parameters in order, but takes each at its word: here is what clients will
// insist on (RFC 9460 sections 2.2, 7, 8), the generic form's octets included.
std::string svcb_mistake(std::span<const std::uint8_t> rdata);

}  // namespace sluice::dns
