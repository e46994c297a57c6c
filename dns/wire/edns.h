#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "config/base/result.h"
#include "dns/wire/reader.h"
#include "dns/wire/types.h"
#include "dns/wire/writer.h"

namespace sluice::dns {

// The options of a query that we know, where each stands: small, for every query has one of these,
// and nearly none an option.
struct EdnsOptions {
  enum Seen : std::uint8_t {
    kNone = 0,
    kNsid = 1,
    kCookie = 2,
    kClientSubnet = 4,
    kKeepalive = 8,
    kKeepaliveTimeout = 16,  // a keepalive with a timeout, which is the server's to say
    kMalformed = 32,         // a cookie or client subnet that breaks its RFC: FORMERR
  };
  std::uint8_t seen = kNone;
  std::uint8_t cookie_octets = 0;  // 8, or 16..40
  std::uint8_t subnet_octets = 0;  // 4..20
  std::uint16_t cookie_at = 0;     // offset of the option's data in the message
  std::uint16_t subnet_at = 0;

  bool has(Seen option) const noexcept { return (seen & option) != 0; }
};

// What a query's OPT record says (RFC 6891 section 6.1).
struct Edns {
  std::uint16_t payload = kMinUdpPayload;  // octets that the client takes over UDP; at least 512
  std::uint8_t version = 0;
  bool dnssec_ok = false;  // DO, echoed (RFC 3225 section 3)
  EdnsOptions options;
};

enum class EdnsError : std::uint8_t {
  Malformed,  // ends early, or its options do not fill RDLENGTH
};

// Reads an OPT record from behind its owner and TYPE on; `reader` reads the whole message. Options
// that we don't know are ignored (RFC 6891 section 6.1.2). Those of a version above 0 may have
// another form and are skipped: the answer is BADVERS whatever they say. Of several cookies the
// first counts (RFC 7873 section 5.2); a second client subnet is malformed.
base::Result<Edns, EdnsError> read_opt(WireReader& reader) noexcept;

inline constexpr std::size_t kOptOctets = 11;    // of an OPT record without options
inline constexpr std::size_t kOptionOctets = 4;  // of an option without its data

// Writes an OPT record of version 0 at `at`, where kOptOctets have room; `options` octets of
// options are to follow. `payload`: what we take over UDP. The upper eight bits of `rcode` travel
// in it.
void write_opt(std::uint8_t* at, std::uint16_t payload, Rcode rcode, bool dnssec_ok,
               std::size_t options = 0) noexcept;

// Writes the head of an option (kOptionOctets); `size` octets of data are to follow.
inline void write_option(std::uint8_t* at, OptionCode code, std::size_t size) noexcept {
  store_u16(at, static_cast<std::uint16_t>(code));
  store_u16(at + 2, static_cast<std::uint16_t>(size));
}

}  // namespace sluice::dns
