#include "dns/wire/query.h"

#include "dns/wire/writer.h"

namespace sluice::dns {

namespace {

// RFC 1035 section 4.1.1.
struct Header {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::uint16_t qdcount = 0;
  std::uint16_t ancount = 0;
  std::uint16_t nscount = 0;
  std::uint16_t arcount = 0;
};

Header read_header(WireReader& reader) noexcept {
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
bool skip_name(WireReader& reader) noexcept {
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

bool read_additional(WireReader& reader, std::uint16_t count, std::optional<Edns>& edns) noexcept {
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

void read_question(WireReader& reader, Query& query) noexcept {
  query.qtype = static_cast<RRType>(reader.u16());
  query.qclass = static_cast<RRClass>(reader.u16());
  query.question_octets = static_cast<std::uint16_t>(reader.offset() - kHeaderOctets);
}

// No question: it may ask for a server cookie (RFC 7873 section 5.4), and for nothing else.
std::optional<QueryError> read_bare(WireReader& reader, const Header& header,
                                    Query& query) noexcept {
  const bool well_formed = header.qdcount == 0 && header.ancount == 0 && header.nscount == 0 &&
                           read_additional(reader, header.arcount, query.edns) && reader.at_end();
  if (!well_formed || !query.edns || !query.edns->options.has(EdnsOptions::kCookie)) {
    return QueryError::FormErr;
  }
  return std::nullopt;
}

std::optional<QueryError> read_query(WireReader reader, Query& query) noexcept {
  const Header header = read_header(reader);
  if (!reader.ok() || (header.flags & kFlagQR) != 0) return QueryError::Ignore;
  switch (opcode_of(header.flags)) {
    case Opcode::Query:
      break;
    case Opcode::Notify:
    case Opcode::Update:
      return QueryError::Refused;
    default:
      return QueryError::NotImp;
  }
  query.id = header.id;
  query.flags = header.flags;
  if (header.qdcount != 1) return read_bare(reader, header, query);
  if (header.ancount != 0 || header.nscount != 0) return QueryError::FormErr;
  if (!query.qname.assign(reader)) return QueryError::FormErr;
  read_question(reader, query);
  if (!reader.ok() || !read_additional(reader, header.arcount, query.edns) || !reader.at_end()) {
    return QueryError::FormErr;
  }
  return std::nullopt;
}

}  // namespace

// Filled where it is returned: to move a query costs a tenth of what reading it does.
base::Result<Query, QueryError> parse_query(std::span<const std::uint8_t> wire) noexcept {
  base::Result<Query, QueryError> query{Query()};
  if (const auto error = read_query(WireReader(wire), *query)) query = base::Unexpected{*error};
  return query;
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
