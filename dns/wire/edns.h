#pragma once

#include <cstddef>
#include <cstdint>

#include "config/base/result.h"
#include "dns/wire/reader.h"
#include "dns/wire/types.h"
#include "dns/wire/writer.h"

namespace sluice::dns {

// What a query's OPT record says (RFC 6891 section 6.1).
struct Edns {
  std::uint16_t payload = kMinUdpPayload;  // octets that the client takes over UDP; at least 512
  std::uint8_t version = 0;
  bool dnssec_ok = false;  // DO, echoed (RFC 3225 section 3)
};

enum class EdnsError : std::uint8_t {
  Malformed,  // ends early, or its options do not fill RDLENGTH
};

// Reads an OPT record from behind its owner and TYPE on. Options are walked for their form; none is
// known, and unknown ones are ignored (RFC 6891 section 6.1.2). Those of a version above 0 may have
// another form and are skipped: the answer is BADVERS whatever they say.
base::Result<Edns, EdnsError> read_opt(WireReader& reader) noexcept;

inline constexpr std::size_t kOptOctets = 11;  // of an OPT record without options

// Writes an OPT record of version 0 without options at `at`, where kOptOctets have room. `payload`:
// what we take over UDP. The upper eight bits of `rcode` travel in it.
void write_opt(std::uint8_t* at, std::uint16_t payload, Rcode rcode, bool dnssec_ok) noexcept;

}  // namespace sluice::dns
