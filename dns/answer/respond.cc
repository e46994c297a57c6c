#include "dns/answer/respond.h"

#include <algorithm>
#include <optional>

#include "dns/answer/answer.h"
#include "dns/answer/answer_writer.h"
#include "dns/wire/query.h"
#include "dns/wire/writer.h"

namespace sluice::dns {

namespace {

// What is refused before any name is looked at.
std::optional<Rcode> refusal_of(const Query& query) noexcept {
  if (query.edns && query.edns->version > 0) return Rcode::BadVers;  // RFC 6891 section 6.1.3
  if (query.qclass != RRClass::IN) return Rcode::Refused;
  const auto qtype = static_cast<std::uint16_t>(query.qtype);
  switch (query.qtype) {
    case RRType::AXFR:
    case RRType::IXFR:
      return Rcode::Refused;
    case RRType::ANY:
      return std::nullopt;
    case RRType::OPT:
    case RRType::TSIG:
      return Rcode::FormErr;  // never a question's type
    default:
      // Type 0 is no type; 128 to 255 ask for something to be done (RFC 6895 section 3.1): MAILA,
      // MAILB, TKEY, and what we have not heard of.
      if (qtype == 0) return Rcode::FormErr;
      if (qtype >= 128 && qtype <= 255) return Rcode::NotImp;
      return std::nullopt;
  }
}

// A header alone, for what could not be read as a query.
Answered refuse(QueryError error, std::span<const std::uint8_t> query,
                std::span<std::uint8_t> answer) noexcept {
  if (error == QueryError::Ignore) return {};
  const Rcode rcode = error == QueryError::FormErr  ? Rcode::FormErr
                      : error == QueryError::NotImp ? Rcode::NotImp
                                                    : Rcode::Refused;
  const std::uint16_t copied = load_u16(query.data() + 2) & (kOpcodeMask | kFlagRD);
  std::fill_n(answer.begin(), kHeaderOctets, std::uint8_t{0});
  std::copy_n(query.begin(), 2, answer.begin());  // the ID
  store_u16(answer.data() + 2,
            static_cast<std::uint16_t>(kFlagQR | copied | static_cast<std::uint16_t>(rcode)));
  return {kHeaderOctets, rcode};
}

std::size_t size_limit(const QueryContext& context, const Query& query) noexcept {
  if (context.transport == Transport::Tcp) return kMaxMessageOctets;
  const std::uint16_t client = query.edns ? query.edns->payload : kMinUdpPayload;
  return std::max(kMinUdpPayload, std::min(client, context.max_udp_payload));
}

}  // namespace

Answered respond(const ServingSnapshot& snapshot, const QueryContext& context,
                 std::span<const std::uint8_t> query, std::span<std::uint8_t> answer) noexcept {
  const auto parsed = parse_query(query);
  if (!parsed) return refuse(parsed.error(), query, answer);
  const std::size_t limit = std::min(size_limit(context, *parsed), answer.size());
  AnswerWriter writer(*parsed, query, answer.first(limit));
  const std::optional<Rcode> refused = refusal_of(*parsed);
  const Rcode rcode =
      refused ? *refused : Answer(snapshot, *parsed, context.rotation, writer).write(parsed->qname);
  return {writer.finish(rcode, context.max_udp_payload), rcode};
}

}  // namespace sluice::dns
