#include "dns/wire/query.h"

#include "dns/wire/writer.h"

namespace sluice::dns {

namespace {

// What every query goes through is made inline by name: since read_refused() needs it too, the
// compiler would call it, at a tenth of the instructions that a query takes here.

// RFC 1035 section 4.1.1.
struct Header {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::uint16_t qdcount = 0;
  std::uint16_t ancount = 0;
  std::uint16_t nscount = 0;
  std::uint16_t arcount = 0;
};

[[gnu::always_inline]] inline Header read_header(WireReader& reader) noexcept {
  const std::span<const std::uint8_t> octets = reader.octets(kHeaderOctets);
  if (octets.empty()) return {};
  const std::uint8_t* at = octets.data();
  return {.id = load_u16(at),
          .flags = load_u16(at + 2),
          .qdcount = load_u16(at + 4),
          .ancount = load_u16(at + 6),
          .nscount = load_u16(at + 8),
          .arcount = load_u16(at + 10)};
}

// Steps over an owner name whose content nobody wants; a pointer ends it. False: malformed.
[[gnu::always_inline]] inline bool skip_name(WireReader& reader) noexcept {
  std::size_t size = 0;
  for (;;) {
    const std::uint8_t length = reader.u8();
    if (length >= 0xC0) {
      reader.skip(1);
      return reader.ok();
    }
    size += 1U + length;
    if (length > Name::kMaxLabelOctets || size > Name::kMaxOctets) return false;
    reader.skip(length);
    if (length == 0) return reader.ok();
  }
}

// From behind a record's TYPE on.
void skip_rest_of_record(WireReader& reader) noexcept {
  reader.skip(6);  // CLASS, TTL
  const std::uint16_t length = reader.u16();
  reader.skip(length);
}

// The counts are hostile: each question or record takes octets or ends the loop.
bool skip_questions(WireReader& reader, std::uint16_t count) noexcept {
  for (; count > 0; --count) {
    if (!skip_name(reader)) return false;
    reader.skip(4);  // QTYPE, QCLASS
  }
  return reader.ok();
}

bool skip_records(WireReader& reader, std::uint16_t count) noexcept {
  for (; count > 0; --count) {
    if (!skip_name(reader)) return false;
    reader.skip(2);  // TYPE
    skip_rest_of_record(reader);
  }
  return reader.ok();
}

[[gnu::always_inline]] inline bool read_additional(WireReader& reader, std::uint16_t count,
                                                   std::optional<Edns>& edns) noexcept {
  for (; count > 0; --count) {
    const std::size_t start = reader.offset();
    if (!skip_name(reader)) return false;
    const bool root_owns_it = reader.offset() == start + 1;
    if (static_cast<RRType>(reader.u16()) == RRType::OPT) {
      if (!root_owns_it || edns) return false;
      const auto opt = read_opt(reader);
      if (!opt) return false;
      edns = *opt;
    } else {
      skip_rest_of_record(reader);
    }
    if (!reader.ok()) return false;
  }
  return true;
}

[[gnu::always_inline]] inline void read_question(WireReader& reader, Query& query) noexcept {
  query.qtype = static_cast<RRType>(reader.u16());
  query.qclass = static_cast<RRClass>(reader.u16());
  query.question_octets = static_cast<std::uint16_t>(reader.offset() - kHeaderOctets);
}

// No question: it may ask for a server cookie (RFC 7873 section 5.4), and for nothing else.
[[gnu::noinline]] base::Result<base::Done, QueryError> parse_bare(WireReader reader,
                                                                  const Header& header,
                                                                  Query& query) noexcept {
  const bool well_formed = header.qdcount == 0 && header.ancount == 0 && header.nscount == 0 &&
                           read_additional(reader, header.arcount, query.edns) && reader.at_end();
  if (!well_formed || !query.edns) return base::Unexpected{QueryError::FormErr};
  // Options of a later version are not read: BADVERS whatever they say.
  if (query.edns->version == 0 && !query.edns->options.has(EdnsOptions::kCookie)) {
    return base::Unexpected{QueryError::FormErr};
  }
  return base::Done{};
}

}  // namespace

base::Result<Query, QueryError> parse_query(std::span<const std::uint8_t> wire) noexcept {
  Query query;
  const auto parsed = parse_query(wire, query);
  if (!parsed) return base::Unexpected{parsed.error()};
  return query;
}

base::Result<base::Done, QueryError> parse_query(std::span<const std::uint8_t> wire,
                                                 Query& query) noexcept {
  WireReader reader(wire);
  const Header header = read_header(reader);
  if (!reader.ok() || (header.flags & kFlagQR) != 0) return base::Unexpected{QueryError::Ignore};
  switch (opcode_of(header.flags)) {
    case Opcode::Query:
      break;
    case Opcode::Notify:
    case Opcode::Update:
      return base::Unexpected{QueryError::Refused};
    default:
      return base::Unexpected{QueryError::NotImp};
  }
  query.id = header.id;
  query.flags = header.flags;
  if (header.qdcount != 1) return parse_bare(reader, header, query);
  if (header.ancount != 0) return base::Unexpected{QueryError::FormErr};
  if (!query.qname.assign(reader)) return base::Unexpected{QueryError::FormErr};
  read_question(reader, query);
  // An IXFR brings the SOA of what the client has (RFC 1995 section 3); nothing else has any.
  if (header.nscount != 0 &&
      (query.qtype != RRType::IXFR || !skip_records(reader, header.nscount))) {
    return base::Unexpected{QueryError::FormErr};
  }
  if (!reader.ok() || !read_additional(reader, header.arcount, query.edns) || !reader.at_end()) {
    return base::Unexpected{QueryError::FormErr};
  }
  return base::Done{};
}

Query read_refused(std::span<const std::uint8_t> wire) noexcept {
  WireReader reader(wire);
  const Header header = read_header(reader);
  Query query;
  query.id = header.id;
  query.flags = header.flags;
  if (header.qdcount == 1) {
    if (!query.qname.assign(reader)) return query;
    read_question(reader, query);
    if (!reader.ok()) query.question_octets = 0;
  } else if (!skip_questions(reader, header.qdcount)) {
    return query;
  }
  if (!skip_records(reader, header.ancount) || !skip_records(reader, header.nscount)) return query;
  std::optional<Edns> edns;
  if (read_additional(reader, header.arcount, edns)) query.edns = edns;
  return query;
}

}  // namespace sluice::dns
