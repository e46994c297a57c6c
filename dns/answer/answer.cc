#include "dns/answer/answer.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>

#include "dns/answer/alias_chain.h"
#include "dns/answer/response_settings.h"

namespace sluice::dns {

namespace {

// The first answer begins before this: behind header and question.
constexpr std::size_t kFirstAnswer = kHeaderOctets + Name::kMaxOctets + 4 + 1;

// HINFO "RFC8482" "" at the question's name: says that ANY is not served (RFC 8482 section 4.2),
// for an hour, so that the same client does not ask again soon.
constexpr std::array<std::uint8_t, kRecordHead + 9> kAnyRecord = {
    0xC0, 0x0C, 0, 13, 0, 1, 0, 0, 0x0E, 0x10, 0, 9, 7, 'R', 'F', 'C', '8', '4', '8', '2', 0};

// Where a rotated RRset begins, in 2^32nds of the way round. Multiples of the golden ratio, not of
// one: they spread evenly over the records whichever queries of the sequence ask for them, also
// when each second one (A, then AAAA) does.
std::uint32_t turn_of(std::uint64_t rotation) noexcept {
  return static_cast<std::uint32_t>(rotation) * 0x9E3779B1;
}

}  // namespace

Rcode Answer::write(const Name& qname) noexcept {
  Lookup lookup = zones_.find(qname, qtype_);
  if (lookup.kind == Lookup::Kind::NotAuth) return Rcode::Refused;
  about_ = lookup.node;
  if (lookup.kind != Lookup::Kind::Referral) writer_.set_authoritative();
  if (lookup.kind < Lookup::Kind::Cname) return conclude(lookup, qname, kHeaderOctets);
  return follow(lookup, qname);
}

Rcode Answer::follow(Lookup lookup, const Name& qname) noexcept {
  const ZoneId zone = lookup.zone;
  AliasChain chain(zones_, qname, writer_);
  for (;;) {
    const AliasChain::Step step = chain.add(lookup);
    if (step == AliasChain::Step::NoRoom) return truncated();
    if (step == AliasChain::Step::TooLong) return Rcode::YXDomain;
    // Whoever asks for CNAME has got one.
    if (step == AliasChain::Step::End || qtype_ == RRType::CNAME) return Rcode::NoError;
    lookup = zones_.find(chain.name(), qtype_);
    // Beyond the zone the client asks whoever answers there; it would not believe us.
    if (lookup.kind == Lookup::Kind::NotAuth || lookup.zone != zone) return Rcode::NoError;
    if (lookup.kind < Lookup::Kind::Cname) return conclude(lookup, chain.name(), chain.owner());
  }
}

Rcode Answer::conclude(const Lookup& lookup, const Name& name, std::size_t owner) noexcept {
  switch (lookup.kind) {
    case Lookup::Kind::AnswerSet:
      return members(lookup, name, owner);
    case Lookup::Kind::Host:
      return host(lookup, name, owner);
    case Lookup::Kind::RRset:
      return rrset(lookup, owner);
    case Lookup::Kind::Soa: {
      const RRset soa = zones_.rrset(zones_.zones()[lookup.zone].soa);
      if (!add_soa(Section::Answer, lookup.zone, soa.ttl, owner)) return truncated();
      return Rcode::NoError;
    }
    case Lookup::Kind::Referral:
      return referral(lookup, owner);
    case Lookup::Kind::Any:
      return any(owner);
    case Lookup::Kind::NoData:
      return negative(Rcode::NoError, lookup.zone, name, owner);
    case Lookup::Kind::NXDomain:
      return negative(Rcode::NXDomain, lookup.zone, name, owner);
    case Lookup::Kind::NotAuth:
    case Lookup::Kind::Cname:
    case Lookup::Kind::Dname:
      break;
  }
  assert(false);  // write() dealt with them
  return Rcode::Refused;
}

Rcode Answer::rrset(const Lookup& lookup, std::size_t owner) noexcept {
  const RRset rrset = zones_.rrset(lookup.where);
  const std::size_t start = writer_.size();
  if (!writer_.add(Section::Answer, rrset, owner)) return truncated();
  add_additional(rrset, start, owner);
  return Rcode::NoError;
}

Rcode Answer::members(const Lookup& lookup, const Name& name, std::size_t owner) noexcept {
  answer_set_ = lookup.where;
  const RenderedSet& set = snapshot_.answer_sets[lookup.where];
  if (set.fallback() != health::Fallback::None) {
    writer_.explain(explanation_of(set.fallback()));
  } else if (snapshot_.settings->stale) {
    writer_.explain(kStaleAnswer);
  }
  const std::span<const std::uint8_t> records = set.records(qtype_);
  if (records.empty()) return negative(Rcode::NoError, lookup.zone, name, owner);
  const bool added = qtype_ == RRType::SRV ? add_srv(set, owner)
                                           : add_addresses(qtype_, set, Section::Answer, owner);
  return added ? Rcode::NoError : truncated();
}

Rcode Answer::host(const Lookup& lookup, const Name& name, std::size_t owner) noexcept {
  const Host& host = zones_.hosts()[lookup.where];
  const std::uint32_t where = qtype_ == RRType::A ? host.a : host.aaaa;
  if (where == 0 || is_hidden(lookup.where)) {
    return negative(Rcode::NoError, lookup.zone, name, owner);
  }
  return add_host(Section::Answer, lookup.where, where, owner) ? Rcode::NoError : truncated();
}

Rcode Answer::any(std::size_t owner) noexcept {
  RRset hinfo;
  hinfo.type = RRType::HINFO;
  hinfo.count = 1;
  hinfo.octets = kAnyRecord;
  if (!writer_.add(Section::Answer, hinfo, owner)) return truncated();
  return Rcode::NoError;
}

Rcode Answer::referral(const Lookup& lookup, std::size_t owner) noexcept {
  const RRset ns = zones_.rrset(lookup.where);
  const std::size_t start = writer_.size();
  if (!writer_.add(Section::Authority, ns, owner + lookup.above)) return truncated();
  add_additional(ns, start, owner);
  return Rcode::NoError;
}

// The SOA says for how long the absence may be believed (RFC 2308 section 3).
Rcode Answer::negative(Rcode rcode, ZoneId zone, const Name& name, std::size_t owner) noexcept {
  const Zone& of = zones_.zones()[zone];
  const std::size_t apex = owner + name.size() - of.apex_octets;
  if (!add_soa(Section::Authority, zone, of.negative_ttl, apex)) writer_.set_truncated();
  return rcode;
}

bool Answer::add_soa(Section section, ZoneId zone, std::uint32_t ttl, std::size_t owner) noexcept {
  const RRset soa = zones_.rrset(zones_.zones()[zone].soa);
  const std::size_t start = writer_.size();
  if (!writer_.add(section, soa, owner)) return false;
  store_u32(writer_.at(start + kRecordHead - 6), ttl);
  store_u32(writer_.at(writer_.size() - kSoaNumbers), snapshot_.soa_serials[zone]);
  return true;
}

bool Answer::add_srv(const RenderedSet& set, std::size_t owner) noexcept {
  RRset srv;
  srv.type = RRType::SRV;
  srv.count = static_cast<std::uint16_t>(set.targets().size());
  srv.octets = set.records(RRType::SRV);
  const std::size_t start = writer_.size();
  if (const RenderedSet::Choice* choice = set.choice(RRType::SRV)) {
    if (!add_chosen(*choice, srv, set, Section::Answer, owner)) return false;
  } else {
    if (!writer_.add(Section::Answer, srv, owner)) return false;
    add_targets(set, start);
  }
  if (set.is_capped()) cap(start, set.not_after());
  return true;
}

bool Answer::add_addresses(RRType type, const RenderedSet& set, Section section,
                           std::size_t owner) noexcept {
  RRset addresses;
  addresses.type = type;
  addresses.octets = set.records(type);
  if (addresses.octets.empty()) return true;
  const std::size_t start = writer_.size();
  if (const RenderedSet::Choice* choice = set.choice(type)) {
    if (!add_chosen(*choice, addresses, set, section, owner)) return false;
  } else {
    const std::size_t record = type == RRType::A ? kARecord : kAaaaRecord;
    addresses.count = static_cast<std::uint16_t>(addresses.octets.size() / record);
    std::size_t first = 0;
    if (set.rotates()) first = (std::uint64_t{turn_of(context_.rotation)} * addresses.count) >> 32;
    if (!writer_.add_rotated(section, addresses, first, owner)) return false;
  }
  if (set.is_capped()) cap(start, set.not_after());
  return true;
}

bool Answer::add_chosen(const RenderedSet::Choice& choice, RRset records, const RenderedSet& set,
                        Section section, std::size_t owner) noexcept {
  // What can't fit need not be drawn: a flood of questions over UDP costs no more than it must.
  if (choice.selection.shows_all() && !writer_.fits(records.octets.size())) return false;
  Selection::Room room;
  const auto chosen = choice.selection.draw(Random(context_.seed, context_.rotation),
                                            turn_of(context_.rotation), room);
  const auto begin = [&](Selection::Group group) {
    return group == 0 ? 0 : choice.ends[group - 1U];
  };
  std::size_t octets = 0;
  for (const Selection::Group group : chosen) octets += choice.ends[group] - begin(group);
  const bool srv = records.type == RRType::SRV;
  const std::size_t record = records.type == RRType::A ? kARecord : kAaaaRecord;
  records.count = static_cast<std::uint16_t>(srv ? chosen.size() : octets / record);
  std::size_t start = writer_.size();
  if (!writer_.add_groups(section, records, choice.ends, chosen, owner)) return false;
  if (!srv) return true;
  for (const Selection::Group group : chosen) {
    const RenderedSet::Target target = set.targets()[group];
    if (!add_target(target.server, start + target.position - begin(group))) break;
    start += choice.ends[group] - begin(group);
  }
  return true;
}

// As many of the targets' addresses as have room: the rest is no truncation (RFC 2181 section 9).
void Answer::add_targets(const RenderedSet& set, std::size_t start) noexcept {
  // Behind the question, with nobody hidden or about to be and room for all, as they were rendered.
  const std::span<const std::uint8_t> all = set.additional();
  const bool as_rendered = !all.empty() && snapshot_.hidden_hosts.empty() &&
                           snapshot_.leaving_hosts.empty() && start < kFirstAnswer;
  if (as_rendered && writer_.add_shifted(Section::Additional, all, start)) return;
  for (const RenderedSet::Target& target : set.targets()) {
    if (!add_target(target.server, start + target.position)) return;
  }
}

bool Answer::add_target(health::ServerId server, std::size_t owner) noexcept {
  const Host& host = zones_.hosts()[server];
  if (!host.in_zone || is_hidden(server)) return true;
  for (const std::uint32_t where : {host.a, host.aaaa}) {
    if (where == 0) continue;
    if (!add_host(Section::Additional, server, where, owner)) return false;
  }
  return true;
}

bool Answer::add_host(Section section, health::ServerId server, std::uint32_t where,
                      std::size_t owner) noexcept {
  const std::size_t start = writer_.size();
  if (!writer_.add(section, zones_.rrset(where), owner)) return false;
  if (!snapshot_.leaving_hosts.empty()) cap_host(start, server);
  return true;
}

// Whole seconds that are left: a cache keeps a record for its TTL from its arrival on, and so no
// longer than this promises (but for the way there, which the horizon's margin is for).
void Answer::cap(std::size_t start, base::MonoTime not_after) noexcept {
  const auto left = std::chrono::floor<std::chrono::seconds>(not_after - context_.mono).count();
  constexpr std::int64_t kMost = UINT32_MAX;
  writer_.cap_ttls(start, static_cast<std::uint32_t>(std::clamp<std::int64_t>(left, 0, kMost)));
}

void Answer::cap_host(std::size_t start, health::ServerId server) noexcept {
  const auto leaving =
      std::ranges::lower_bound(snapshot_.leaving_hosts, server, {}, &health::LeavingHost::server);
  if (leaving == snapshot_.leaving_hosts.end() || leaving->server != server) return;
  cap(start, leaving->not_after);
}

void Answer::add_additional(const RRset& rrset, std::size_t start, std::size_t owner) noexcept {
  for (std::size_t index = 0; index < rrset.additional.size(); ++index) {
    const AdditionalName name = rrset.additional[index];
    const std::size_t at = name.position == 0 ? owner : start + name.position;
    if (name.same_type != 0 && !add_same_type(name.node, rrset.type, at)) return;
    if (add_addresses_of(name.node, at)) continue;
    if (name.required != 0) writer_.set_truncated();
    return;
  }
}

bool Answer::add_same_type(std::uint32_t node, RRType type, std::size_t owner) noexcept {
  const Lookup lookup = zones_.at_node(node, type);
  return writer_.add(Section::Additional, zones_.rrset(lookup.where), owner);
}

bool Answer::add_addresses_of(std::uint32_t node, std::size_t owner) noexcept {
  for (const RRType type : {RRType::A, RRType::AAAA}) {
    const Lookup lookup = zones_.at_node(node, type);
    bool room = true;
    if (lookup.kind == Lookup::Kind::RRset) {
      room = writer_.add(Section::Additional, zones_.rrset(lookup.where), owner);
    } else if (lookup.kind == Lookup::Kind::AnswerSet) {
      room = add_addresses(type, snapshot_.answer_sets[lookup.where], Section::Additional, owner);
    } else if (lookup.kind == Lookup::Kind::Host && !is_hidden(lookup.where)) {
      const Host& host = zones_.hosts()[lookup.where];
      const std::uint32_t where = type == RRType::A ? host.a : host.aaaa;
      room = where == 0 || add_host(Section::Additional, lookup.where, where, owner);
    }
    if (!room) return false;
  }
  return true;
}

}  // namespace sluice::dns
