#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.h"
#include "dns/wire/name.h"

namespace sluice::dns {

// Reads the RDATA of an SVCB or HTTPS record from its tokens (RFC 9460 section 2.1, appendix A):
// priority, target, parameters in any order. Not by ldns: 1.8.3 takes `port=65536` for 0 and
// splits an alpn at an escaped comma. What comes out has no svcb_mistake(); the error says what is
// wrong.
base::Result<base::Done, std::string> read_svcb(std::span<const std::string_view> tokens,
                                                const Name& origin,
                                                std::vector<std::uint8_t>& rdata);

// What is wrong with the RDATA of such a record, in words; empty: nothing. It is what clients
// insist on (RFC 9460 sections 2.2, 7, 8), and holds for octets in the generic form too.
std::string svcb_mistake(std::span<const std::uint8_t> rdata);

}  // namespace sluice::dns
