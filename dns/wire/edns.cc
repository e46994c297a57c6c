#include "dns/wire/edns.h"

#include <algorithm>

namespace sluice::dns {

namespace {

constexpr std::uint16_t kDnssecOk = 0x8000;
constexpr std::size_t kHeadOctets = 8;  // CLASS, TTL, RDLENGTH

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
  // CLASS and TTL have a meaning of their own: payload size, upper bits of the RCODE (zero in
  // queries), version, flags.
  const std::span<const std::uint8_t> head = reader.octets(kHeadOctets);
  if (head.empty()) return base::Unexpected{EdnsError::Malformed};
  Edns edns;
  edns.payload = std::max(load_u16(head.data()), kMinUdpPayload);  // section 6.2.3
  edns.version = head[3];
  edns.dnssec_ok = (load_u16(head.data() + 4) & kDnssecOk) != 0;
  const WireReader options(reader.octets(load_u16(head.data() + 6)));
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
