#include "dns/answer/alias_chain.h"

#include <algorithm>
#include <cstring>

#include "dns/wire/writer.h"

namespace sluice::dns {

AliasChain::Step AliasChain::add(const Lookup& lookup) noexcept {
  const auto before = std::span(owners_).first(aliases_);
  if (aliases_ == kMaxAliases ||
      std::ranges::any_of(before, [&](std::size_t at) { return stands_at(at); })) {
    return Step::End;
  }
  written_[aliases_] = lookup.where;
  if (lookup.kind == Lookup::Kind::Dname) return add_dname(lookup);
  return add_cname(zones_.rrset(lookup.where));
}

// The DNAME, and the CNAME that it stands for: the name's first labels, with the DNAME's target for
// an end (RFC 6672 sections 2.2, 3.1).
AliasChain::Step AliasChain::add_dname(const Lookup& lookup) noexcept {
  const RRset dname = zones_.rrset(lookup.where);
  const auto before = std::span(written_).first(aliases_);
  const bool again = std::ranges::find(before, lookup.where) != before.end();
  if (!again && !writer_.add(Section::Answer, dname, owner_ + lookup.above)) return Step::NoRoom;
  const auto target = dname.octets.subspan(kRecordHead);
  const std::size_t size = lookup.above + target.size();
  if (size > Name::kMaxOctets) return Step::TooLong;

  std::array<std::uint8_t, kRecordHead + Name::kMaxOctets> record;
  store_u16(record.data(), kPointerMark | kHeaderOctets);
  store_u16(record.data() + 2, static_cast<std::uint16_t>(RRType::CNAME));
  store_u16(record.data() + 4, static_cast<std::uint16_t>(RRClass::IN));
  store_u32(record.data() + 6, dname.ttl);
  store_u16(record.data() + 10, static_cast<std::uint16_t>(size));
  std::memcpy(record.data() + kRecordHead, writer_.at(owner_), lookup.above);
  std::memcpy(record.data() + kRecordHead + lookup.above, target.data(), target.size());
  RRset cname;
  cname.type = RRType::CNAME;
  cname.count = 1;
  cname.octets = std::span(record).first(kRecordHead + size);
  return add_cname(cname);
}

AliasChain::Step AliasChain::add_cname(const RRset& cname) noexcept {
  const std::size_t start = writer_.size();
  if (!writer_.add(Section::Answer, cname, owner_)) return Step::NoRoom;
  owners_[aliases_++] = owner_;
  // The records of the target follow with this name for an owner, and point to it.
  owner_ = start + kRecordHead;
  WireReader reader(cname.octets.subspan(kRecordHead));
  static_cast<void>(name_.assign(reader));  // whoever made the RDATA checked it
  return Step::On;
}

bool AliasChain::stands_at(std::size_t offset) const noexcept {
  WireReader reader({writer_.at(offset), name_.size()});
  const auto there = Name::read(reader);
  return there && *there == name_;
}

}  // namespace sluice::dns
