#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "config/base/result.h"
#include "dns/wire/edns.h"
#include "dns/wire/name.h"
#include "dns/wire/types.h"

namespace sluice::dns {

// A query that can be answered: opcode QUERY, one question, nothing that it should not have. Or one
// without a question, that asks for a server cookie alone (RFC 7873 section 5.4).
struct Query {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;            // the second word of the header, as sent
  std::uint16_t question_octets = 0;  // 0: no question
  Name qname;
  RRType qtype = RRType::A;
  RRClass qclass = RRClass::IN;
  std::optional<Edns> edns;
};

// What becomes of octets that are no such query.
enum class QueryError : std::uint8_t {
  Ignore,   // too short to carry an ID, or itself a response: a reply would invite loops
  FormErr,  // malformed
  NotImp,   // an opcode that we do not know
  Refused,  // NOTIFY and UPDATE: known, and not for us
};

// Octets of one message -> query. Strict about the form (every octet belongs to something), as the
// field is about the additional section: exactly one question (RFC 9619); records in answer or
// authority are FORMERR, and so are two OPT records (RFC 6891 section 6.1.1), one that the root
// does not own, or octets behind the last record. Other additional records, TSIG among them, are
// walked over and ignored: we hold no keys, a client that insists on a signature discards the
// unsigned answer.
base::Result<Query, QueryError> parse_query(std::span<const std::uint8_t> wire) noexcept;
// The same into `query`, which is new: a query is large, and its copies would cost what reading it
// does. After an error it holds nothing of use.
base::Result<base::Done, QueryError> parse_query(std::span<const std::uint8_t> wire,
                                                 Query& query) noexcept;

// What can be read of a message that parse_query() gave another error than Ignore for, so that the
// answer is about it: header, a question if there is one and it makes sense, one OPT if it is well
// formed (who sends OPT gets one back, RFC 6891 section 7). Of whatever opcode: NOTIFY and UPDATE
// have the form of a query, for all that matters here (RFC 1996 section 3.7, RFC 2136 section 2).
Query read_refused(std::span<const std::uint8_t> wire) noexcept;

}  // namespace sluice::dns
