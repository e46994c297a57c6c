#pragma once

#include <cstddef>
#include <cstdint>

// The numbers of the protocol, by their names in the RFCs (IANA "DNS Parameters").
namespace sluice::dns {

// Only types that the code treats in a way of their own; any other value is a type too.
enum class RRType : std::uint16_t {
  A = 1,
  NS = 2,
  MD = 3,
  MF = 4,
  CNAME = 5,
  SOA = 6,
  MB = 7,
  MG = 8,
  MR = 9,
  PTR = 12,
  HINFO = 13,
  MINFO = 14,
  MX = 15,
  TXT = 16,
  SIG = 24,
  KEY = 25,
  AAAA = 28,
  NXT = 30,
  SRV = 33,
  DNAME = 39,
  OPT = 41,
  DS = 43,
  RRSIG = 46,
  NSEC = 47,
  DNSKEY = 48,
  NSEC3 = 50,
  NSEC3PARAM = 51,
  CDS = 59,
  CDNSKEY = 60,
  ZONEMD = 63,
  SVCB = 64,
  HTTPS = 65,
  NXNAME = 128,
  TKEY = 249,
  TSIG = 250,
  IXFR = 251,
  AXFR = 252,
  MAILB = 253,
  MAILA = 254,
  ANY = 255,
};

// They share their form and meaning (RFC 9460 section 9).
constexpr bool is_svcb(RRType type) noexcept {
  return type == RRType::SVCB || type == RRType::HTTPS;
}

enum class RRClass : std::uint16_t { IN = 1, CH = 3, NONE = 254, ANY = 255 };

enum class Opcode : std::uint8_t { Query = 0, Status = 2, Notify = 4, Update = 5 };

// Values above 15 need an OPT record (RFC 6891 section 6.1.3).
enum class Rcode : std::uint16_t {
  NoError = 0,
  FormErr = 1,
  ServFail = 2,
  NXDomain = 3,
  NotImp = 4,
  Refused = 5,
  YXDomain = 6,
  BadVers = 16,
  BadCookie = 23,  // RFC 7873 section 8
};

// EDNS options that we know (RFC 6891 section 6.1.2), where they are from.
enum class OptionCode : std::uint16_t {
  Nsid = 3,            // RFC 5001
  ClientSubnet = 8,    // RFC 7871
  Cookie = 10,         // RFC 7873
  TcpKeepalive = 11,   // RFC 7828
  ExtendedError = 15,  // RFC 8914
};

// The second word of the header (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6).
inline constexpr std::uint16_t kFlagQR = 0x8000;
inline constexpr std::uint16_t kFlagAA = 0x0400;
inline constexpr std::uint16_t kFlagTC = 0x0200;
inline constexpr std::uint16_t kFlagRD = 0x0100;
inline constexpr std::uint16_t kFlagCD = 0x0010;
inline constexpr std::uint16_t kOpcodeMask = 0x7800;

constexpr Opcode opcode_of(std::uint16_t flags) noexcept {
  return static_cast<Opcode>((flags & kOpcodeMask) >> 11);
}

inline constexpr std::size_t kHeaderOctets = 12;
// What any client takes over UDP, and the least that a payload size means (RFC 6891 section 6.2.3).
inline constexpr std::uint16_t kMinUdpPayload = 512;
// The two high bits of a compression pointer, and the farthest place that the other 14 reach
// (RFC 1035 section 4.1.4).
inline constexpr std::uint16_t kPointerMark = 0xC000;
inline constexpr std::size_t kPointerReach = 0x3FFF;

// The sections of a message that hold records.
enum class Section : std::uint8_t { Answer, Authority, Additional };

}  // namespace sluice::dns
