#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.h"
#include "dns/wire/name.h"
#include "dns/wire/types.h"

namespace sluice::dns {

// Reads a record's type and RDATA from their tokens (the type first, at least one), names relative
// to `origin`, into `rdata`: well-formed, its names uncompressed. Every type that ldns knows, and
// any type in the generic form (RFC 3597 section 5). The error says what is wrong, without owner.
base::Result<RRType, std::string> read_rdata(std::span<const std::string_view> tokens,
                                             const Name& origin, std::vector<std::uint8_t>& rdata);

}  // namespace sluice::dns
