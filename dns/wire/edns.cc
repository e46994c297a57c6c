#include "dns/wire/edns.h"

#include <algorithm>

namespace sluice::dns {

namespace {

constexpr std::uint16_t kDnssecOk = 0x8000;

bool options_well_formed(WireReader options) noexcept {
  while (options.ok() && !options.at_end()) {
    options.skip(2);  // OPTION-CODE
    const std::uint16_t length = options.u16();
    options.skip(length);
  }
  return options.ok();
}

}  // namespace

base::Result<Edns, EdnsError> read_opt(WireReader& reader) noexcept {
  Edns edns;
  edns.payload = std::max(reader.u16(), kMinUdpPayload);  // below 512 means 512: section 6.2.3
  reader.skip(1);                                         // EXTENDED-RCODE: zero in queries
  edns.version = reader.u8();
  edns.dnssec_ok = (reader.u16() & kDnssecOk) != 0;
  const std::uint16_t length = reader.u16();
  const WireReader options(reader.octets(length));
  if (!reader.ok()) return base::Unexpected{EdnsError::Malformed};
  if (edns.version == 0 && !options_well_formed(options)) {
    return base::Unexpected{EdnsError::Malformed};
  }
  return edns;
}

void write_opt(std::uint8_t* at, std::uint16_t payload, Rcode rcode, bool dnssec_ok) noexcept {
  at[0] = 0;  // the root owns it
  store_u16(at + 1, static_cast<std::uint16_t>(RRType::OPT));
  store_u16(at + 3, payload);
  at[5] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(rcode) >> 4);
  at[6] = 0;                                                    // version
  store_u16(at + 7, dnssec_ok ? kDnssecOk : std::uint16_t{0});  // the other bits: zero
  store_u16(at + 9, 0);                                         // RDLENGTH
}

}  // namespace sluice::dns
