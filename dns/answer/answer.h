#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "config/base/clock.h"
#include "dns/answer/answer_writer.h"
#include "dns/answer/rendered.h"
#include "dns/answer/respond.h"
#include "dns/answer/serving.h"
#include "dns/wire/name.h"
#include "dns/wire/query.h"
#include "dns/wire/types.h"
#include "dns/zone/rrset.h"
#include "dns/zone/zone_set.h"

namespace sluice::dns {

// The answer of one query, from the lookup on (RFC 1034 section 4.3.2): what respond() writes
// between the question and OPT. Lives for one call; refers to what it is given.
class Answer {
 public:
  Answer(const ServingSnapshot& snapshot, const Query& query, const QueryContext& context,
         AnswerWriter& writer) noexcept
      : snapshot_(snapshot),
        zones_(*snapshot.zones),
        qtype_(query.qtype),
        context_(context),
        writer_(writer) {}

  // Fills the sections; flags AA and TC are set as they turn out.
  Rcode write(const Name& qname) noexcept;

  // After write(): as Answered::about.
  std::uint32_t about() const noexcept { return about_; }
  // The same: Answered::answer_set.
  health::AnswerSetId answer_set() const noexcept { return answer_set_; }

 private:
  // Along CNAMEs and DNAMEs, as far as the zone goes.
  Rcode follow(Lookup lookup, const Name& qname) noexcept;
  Rcode conclude(const Lookup& lookup, const Name& name, std::size_t owner) noexcept;
  Rcode rrset(const Lookup& lookup, std::size_t owner) noexcept;
  Rcode members(const Lookup& lookup, const Name& name, std::size_t owner) noexcept;
  Rcode host(const Lookup& lookup, const Name& name, std::size_t owner) noexcept;
  Rcode any(std::size_t owner) noexcept;
  Rcode referral(const Lookup& lookup, std::size_t owner) noexcept;
  Rcode negative(Rcode rcode, ZoneId zone, const Name& name, std::size_t owner) noexcept;

  bool add_soa(Section section, ZoneId zone, std::uint32_t ttl, std::size_t owner) noexcept;
  // SRV records, and the addresses of their targets.
  bool add_srv(const RenderedSet& set, std::size_t owner) noexcept;
  bool add_addresses(RRType type, const RenderedSet& set, Section section,
                     std::size_t owner) noexcept;
  // By the pool's policy; with the targets' addresses, if it is an SRV RRset. Not inlined: its
  // frame is large, and the common answer needs none of it.
  [[gnu::noinline]] bool add_chosen(const RenderedSet::Choice& choice, RRset records,
                                    const RenderedSet& set, Section section,
                                    std::size_t owner) noexcept;
  void add_targets(const RenderedSet& set, std::size_t start) noexcept;
  // The server's addresses of one type; `where` is for rrset().
  bool add_host(Section section, health::ServerId server, std::uint32_t where,
                std::size_t owner) noexcept;
  // False: no room for one of the server's addresses.
  bool add_target(health::ServerId server, std::size_t owner) noexcept;
  // `owner`: where the owner of the RRset, which begins at `start`, stands.
  void add_additional(const RRset& rrset, std::size_t start, std::size_t owner) noexcept;
  bool add_same_type(std::uint32_t node, RRType type, std::size_t owner) noexcept;
  bool add_addresses_of(std::uint32_t node, std::size_t owner) noexcept;
  bool is_hidden(health::ServerId server) const noexcept {
    return std::ranges::binary_search(snapshot_.hidden_hosts, server);
  }
  // Lowers the TTLs of what was written from `start` on, so that no cache has it after `not_after`;
  // or as the server's host record needs it, if that is to go. Not inlined: planned drains are few.
  [[gnu::noinline, gnu::cold]] void cap(std::size_t start, base::MonoTime not_after) noexcept;
  [[gnu::noinline, gnu::cold]] void cap_host(std::size_t start, health::ServerId server) noexcept;
  Rcode truncated() noexcept {
    writer_.set_truncated();
    return Rcode::NoError;
  }

  const ServingSnapshot& snapshot_;
  const ZoneSet& zones_;
  RRType qtype_;
  const QueryContext& context_;
  AnswerWriter& writer_;
  std::uint32_t about_ = 0;
  health::AnswerSetId answer_set_ = Answered::kNoAnswerSet;
};

}  // namespace sluice::dns
