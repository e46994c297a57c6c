#include "dns/wire/edns.h"

#include <algorithm>
#include <optional>

#include "dns/wire/cookie.h"

namespace sluice::dns {

namespace {

constexpr std::uint16_t kDnssecOk = 0x8000;
constexpr std::size_t kHeadOctets = 8;  // CLASS, TTL, RDLENGTH

// RFC 7873 section 5.2.2: of any other length it is malformed.
bool cookie_well_formed(std::size_t octets) noexcept {
  return octets == kClientCookieOctets || (octets >= kClientCookieOctets + kMinServerCookieOctets &&
                                           octets <= kClientCookieOctets + kMaxServerCookieOctets);
}

// Bits of the longest prefix of an address family (RFC 7871 section 6). dig sends family 0 for "no
// address at all".
std::optional<unsigned> longest_prefix(std::uint16_t family) noexcept {
  switch (family) {
    case 0:
      return 0;
    case 1:
      return 32;
    case 2:
      return 128;
    default:
      return std::nullopt;
  }
}

// RFC 7871 section 6: scope 0 in queries, as many octets as the source prefix has, zeros behind it.
bool client_subnet_well_formed(std::span<const std::uint8_t> data) noexcept {
  constexpr std::size_t kFixed = 4;  // family, source and scope prefix
  if (data.size() < kFixed) return false;
  const std::uint8_t source = data[2];
  const auto longest = longest_prefix(load_u16(data.data()));
  if (!longest || source > *longest || data[3] != 0) return false;
  if (data.size() != kFixed + (source + 7U) / 8) return false;
  const unsigned used = source % 8U;
  return used == 0 || (data.back() & (0xFFU >> used)) == 0;
}

// Takes one option, whose data stands at `at` in the message.
void take(EdnsOptions& options, OptionCode code, std::span<const std::uint8_t> data,
          std::size_t at) noexcept {
  switch (code) {
    case OptionCode::Nsid:
      options.seen |= EdnsOptions::kNsid;
      return;
    case OptionCode::Cookie:
      if (options.has(EdnsOptions::kCookie)) return;
      options.seen |= EdnsOptions::kCookie;
      if (!cookie_well_formed(data.size())) options.seen |= EdnsOptions::kMalformed;
      options.cookie_at = static_cast<std::uint16_t>(at);
      options.cookie_octets = static_cast<std::uint8_t>(data.size());
      return;
    case OptionCode::ClientSubnet:
      if (options.has(EdnsOptions::kClientSubnet) || !client_subnet_well_formed(data)) {
        options.seen |= EdnsOptions::kMalformed;
      }
      options.seen |= EdnsOptions::kClientSubnet;
      options.subnet_at = static_cast<std::uint16_t>(at);
      options.subnet_octets = static_cast<std::uint8_t>(data.size());
      return;
    case OptionCode::TcpKeepalive:
      options.seen |= data.empty() ? EdnsOptions::kKeepalive : EdnsOptions::kKeepaliveTimeout;
      return;
    case OptionCode::ExtendedError:  // ours to send
    default:
      return;
  }
}

// False: they do not fill RDLENGTH.
bool read_options(WireReader& reader, std::size_t octets, EdnsOptions& options) noexcept {
  const std::size_t end = reader.offset() + octets;
  while (reader.ok() && reader.offset() < end) {
    const auto code = static_cast<OptionCode>(reader.u16());
    const std::uint16_t length = reader.u16();
    const std::size_t at = reader.offset();
    const std::span<const std::uint8_t> data = reader.octets(length);
    if (!reader.ok() || reader.offset() > end) return false;
    take(options, code, data, at);
  }
  return reader.ok();
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
  const std::size_t octets = load_u16(head.data() + 6);
  if (octets == 0) return edns;
  if (edns.version != 0) {
    reader.skip(octets);
  } else if (!read_options(reader, octets, edns.options)) {
    return base::Unexpected{EdnsError::Malformed};
  }
  if (!reader.ok()) return base::Unexpected{EdnsError::Malformed};
  return edns;
}

void write_opt(std::uint8_t* at, std::uint16_t payload, Rcode rcode, bool dnssec_ok,
               std::size_t options) noexcept {
  at[0] = 0;  // the root owns it
  store_u16(at + 1, static_cast<std::uint16_t>(RRType::OPT));
  store_u16(at + 3, payload);
  at[5] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(rcode) >> 4);
  at[6] = 0;                                                    // version
  store_u16(at + 7, dnssec_ok ? kDnssecOk : std::uint16_t{0});  // the other bits: zero
  store_u16(at + 9, static_cast<std::uint16_t>(options));       // RDLENGTH
}

}  // namespace sluice::dns
