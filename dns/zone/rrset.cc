#include "dns/zone/rrset.h"

#include <algorithm>
#include <cassert>

#include "dns/wire/writer.h"

namespace sluice::dns {

namespace {

// Where the longest end that `name` shares with `owner` begins, in each; whole names at best, their
// roots at worst.
struct SharedEnd {
  std::size_t in_name = 0;
  std::size_t in_owner = 0;
};
SharedEnd shared_end(const Name& name, const Name& owner) {
  const SuffixHashes of_name(name);
  const SuffixHashes of_owner(owner);
  std::size_t labels = 0;
  const auto same = [&](std::size_t count) {
    const auto left = name.wire().subspan(of_name.offset(name.labels() - count));
    const auto right = owner.wire().subspan(of_owner.offset(owner.labels() - count));
    return std::ranges::equal(left, right);
  };
  while (labels < std::min(name.labels(), owner.labels()) && same(labels + 1)) ++labels;
  return {of_name.offset(name.labels() - labels), of_owner.offset(owner.labels() - labels)};
}

}  // namespace

RdataLayout rdata_layout(RRType type) noexcept {
  switch (type) {
    case RRType::NS:
      return {.names = 1, .first = 0, .compressed = true, .additional = true};
    case RRType::MX:
      return {.names = 1, .first = 2, .compressed = true, .additional = true};
    case RRType::SRV:
      // Not compressed: RFC 2782.
      return {.names = 1, .first = 6, .compressed = false, .additional = true};
    case RRType::CNAME:
      // May be compressed, but the records of the target follow with this name for an owner, and
      // they point into it.
    case RRType::DNAME:  // never compressed: RFC 6672 section 2.5
      return {.names = 1, .first = 0, .compressed = false, .additional = false};
    case RRType::SVCB:
    case RRType::HTTPS:
      // Not compressed: RFC 9460 section 2.2. The target's addresses: section 4.1.
      return {.names = 1, .first = 2, .compressed = false, .additional = true};
    case RRType::PTR:
    case RRType::MD:
    case RRType::MF:
    case RRType::MB:
    case RRType::MG:
    case RRType::MR:
      return {.names = 1, .first = 0, .compressed = true, .additional = false};
    case RRType::SOA:
    case RRType::MINFO:
      return {.names = 2, .first = 0, .compressed = true, .additional = false};
    default:
      return {};
  }
}

RRsetRenderer::RRsetRenderer(const Name& owner, RRType type, std::uint32_t ttl)
    : owner_(owner), type_(type), ttl_(ttl) {}

void RRsetRenderer::add(std::span<const std::uint8_t> rdata) {
  const std::size_t start = octets_.size();
  if (too_large()) return;  // positions beyond would not fit their type
  octets_.resize(start + kRecordHead);
  std::uint8_t* head = octets_.data() + start;
  store_u16(head, kPointerMark | kHeaderOctets);
  store_u16(head + 2, static_cast<std::uint16_t>(type_));
  store_u16(head + 4, static_cast<std::uint16_t>(RRClass::IN));
  store_u32(head + 6, ttl_);

  const RdataLayout layout = rdata_layout(type_);
  WireReader reader(rdata);
  const auto put = [&](std::span<const std::uint8_t> part) {
    octets_.insert(octets_.end(), part.begin(), part.end());
  };
  put(reader.octets(layout.first));
  for (int name = 0; name < layout.names; ++name) {
    const std::span<const std::uint8_t> rest = reader.rest();
    const std::size_t before = reader.offset();
    const auto read = Name::read(reader);
    assert(read);  // whoever made the RDATA checked it
    put_name(rest.first(reader.offset() - before), layout);
  }
  if (is_svcb(type_)) read_svcb_target(load_u16(rdata.data()) == 0);
  put(reader.rest());
  const std::size_t size = octets_.size() - start - kRecordHead;
  store_u16(octets_.data() + start + kRecordHead - 2, static_cast<std::uint16_t>(size));
  ++count_;
}

// "." is the owner itself, but nothing at all for an alias (RFC 9460 section 2.5).
void RRsetRenderer::read_svcb_target(bool alias) {
  Target& target = targets_.back();
  target.alias = alias;
  if (target.name.labels() > 0) return;
  if (alias) {
    targets_.pop_back();
  } else {
    target = {.position = 0, .name = owner_};
  }
}

void RRsetRenderer::put_name(std::span<const std::uint8_t> written, const RdataLayout& layout) {
  WireReader reader(written);
  const Name name = *Name::read(reader);
  if (layout.additional) {
    targets_.push_back({static_cast<std::uint16_t>(octets_.size()), name});
  }
  const SharedEnd shared = shared_end(name, owner_);
  const bool saves = name.size() - shared.in_name > 2;
  if (!layout.compressed || owner_.is_wildcard() || !saves) {
    octets_.insert(octets_.end(), written.begin(), written.end());
    return;
  }
  // The operator's case is kept in what is written out.
  octets_.insert(octets_.end(), written.begin(),
                 written.begin() + static_cast<std::ptrdiff_t>(shared.in_name));
  pointers_.push_back(static_cast<std::uint16_t>(octets_.size()));
  octets_.resize(octets_.size() + 2);
  store_u16(octets_.data() + octets_.size() - 2,
            static_cast<std::uint16_t>(kPointerMark | (kHeaderOctets + shared.in_owner)));
}

}  // namespace sluice::dns
