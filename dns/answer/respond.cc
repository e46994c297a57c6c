#include "dns/answer/respond.h"

#include <algorithm>
#include <optional>

#include "dns/answer/answer.h"
#include "dns/answer/answer_writer.h"
#include "dns/answer/chaos.h"
#include "dns/answer/extended_error.h"
#include "dns/answer/option_reply.h"
#include "dns/wire/query.h"
#include "dns/wire/writer.h"

namespace sluice::dns {

namespace {

struct Refusal {
  Rcode rcode;
  const ExtendedError* why = nullptr;
};

// QTYPEs that zones are asked for. Type 0 is none; 128 to 255 ask for something to be done
// (RFC 6895 section 3.1): transfers, TKEY, and what we have not heard of; ANY is among them.
bool is_for_zones(RRType qtype) noexcept {
  const auto number = static_cast<std::uint16_t>(qtype);
  if (number >= 1 && number < 128) return qtype != RRType::OPT;
  return number >= 256 || qtype == RRType::ANY;
}

// REQUIRES: not is_for_zones().
Refusal refusal_of(RRType qtype) noexcept {
  if (qtype == RRType::AXFR || qtype == RRType::IXFR) return {Rcode::Refused, &kNoTransfers};
  const bool no_question = qtype == RRType::OPT || qtype == RRType::TSIG;
  if (no_question || static_cast<std::uint16_t>(qtype) == 0) return {Rcode::FormErr};
  // What denials say of a name that is none, and nobody asks for (RFC 9824 section 3.5).
  if (qtype == RRType::NXNAME) return {Rcode::FormErr, &kInvalidType};
  return {Rcode::NotImp, &kNotSupported};
}

Refusal refusal_of(QueryError error, std::uint16_t flags) noexcept {
  if (error == QueryError::FormErr) return {Rcode::FormErr};
  if (error == QueryError::NotImp) return {Rcode::NotImp, &kNotSupported};
  return {Rcode::Refused, opcode_of(flags) == Opcode::Notify ? &kNoNotifies : &kNoUpdates};
}

std::size_t size_limit(const QueryContext& context, const Query& query) noexcept {
  if (context.transport == Transport::Tcp) return kMaxMessageOctets;
  const std::uint16_t client = query.edns ? query.edns->payload : kMinUdpPayload;
  return std::max(kMinUdpPayload, std::min(client, context.max_udp_payload));
}

Rcode give(const Refusal& refusal, AnswerWriter& writer) noexcept {
  if (refusal.why != nullptr) writer.explain(*refusal.why);
  return refusal.rcode;
}

// What Answered tells besides size and RCODE.
struct Source {
  std::uint32_t about = 0;
  health::AnswerSetId answer_set = Answered::kNoAnswerSet;
};

// All between question and OPT. Inline for the sake of plain queries,
// though those with options have it too.
[[gnu::always_inline]] inline Rcode write_answer(const ServingSnapshot& snapshot,
                                                 const QueryContext& context, const Query& query,
                                                 AnswerWriter& writer, Source& source) noexcept {
  if (query.edns && query.edns->version > 0) return Rcode::BadVers;  // RFC 6891 section 6.1.3
  if (query.qclass != RRClass::IN) {
    if (query.qclass == RRClass::CH) return answer_chaos(*snapshot.settings, query, writer);
    return give({Rcode::Refused, &kNotAuthoritative}, writer);
  }
  if (!is_for_zones(query.qtype)) return give(refusal_of(query.qtype), writer);
  Answer answer(snapshot, query, context, writer);
  const Rcode rcode = answer.write(query.qname);
  if (rcode == Rcode::Refused) writer.explain(kNotAuthoritative);
  source = {answer.about(), answer.answer_set()};
  return rcode;
}

Answered finish(AnswerWriter& writer, const QueryContext& context, Rcode rcode,
                const Source& source = {}) noexcept {
  const std::size_t size = writer.finish(rcode, context.max_udp_payload);
  return {.size = static_cast<std::uint32_t>(size),
          .rcode = rcode,
          .opt_octets = static_cast<std::uint16_t>(size - writer.size()),
          .about = source.about,
          .answer_set = source.answer_set};
}

// The same for the few queries with options that we know: kept apart, for the room that the options
// of an answer take on the stack.
[[gnu::noinline]] Answered respond_with_options(const ServingSnapshot& snapshot,
                                                const QueryContext& context, const Query& query,
                                                std::span<const std::uint8_t> octets,
                                                std::span<std::uint8_t> room) noexcept {
  const OptionReply reply(*snapshot.settings, context, query, octets, room.size());
  AnswerWriter writer(query, octets, room, reply.options());
  Source source;
  const Rcode rcode = reply.conclusion() ? *reply.conclusion()
                                         : write_answer(snapshot, context, query, writer, source);
  if (reply.is_client_known()) source.about = Answered::kKnownClient;
  return finish(writer, context, rcode, source);
}

// For what could not be read as a query: as much of it as makes sense, and why not.
[[gnu::noinline]] Answered refuse(const ServingSnapshot& snapshot, const QueryContext& context,
                                  QueryError error, std::span<const std::uint8_t> octets,
                                  std::span<std::uint8_t> room) noexcept {
  if (error == QueryError::Ignore) return {};
  const Query query = read_refused(octets);
  const Refusal refusal = refusal_of(error, query.flags);
  const std::size_t limit = std::min(size_limit(context, query), room.size());
  if (!query.edns) {
    AnswerWriter writer(query, octets, room.first(limit));
    return finish(writer, context, refusal.rcode);
  }
  const OptionReply reply(*snapshot.settings, context, query, octets, limit);
  AnswerWriter writer(query, octets, room.first(limit), reply.options());
  return finish(writer, context, give(refusal, writer),
                {.about = reply.is_client_known() ? Answered::kKnownClient : 0});
}

}  // namespace

Answered respond(const ServingSnapshot& snapshot, const QueryContext& context,
                 std::span<const std::uint8_t> query, std::span<std::uint8_t> answer) noexcept {
  Query parsed;
  const auto read = parse_query(query, parsed);
  if (!read) return refuse(snapshot, context, read.error(), query, answer);
  const auto room = answer.first(std::min(size_limit(context, parsed), answer.size()));
  if (parsed.edns && parsed.edns->options.seen != EdnsOptions::kNone) {
    return respond_with_options(snapshot, context, parsed, query, room);
  }
  AnswerWriter writer(parsed, query, room);
  Source source;
  const Rcode rcode = write_answer(snapshot, context, parsed, writer, source);
  return finish(writer, context, rcode, source);
}

}  // namespace sluice::dns
