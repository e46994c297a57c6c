#include "dns/answer/answer_writer.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "dns/wire/edns.h"

namespace sluice::dns {

namespace {

std::uint16_t pointer_to(std::size_t offset) noexcept {
  return static_cast<std::uint16_t>(kPointerMark | offset);
}

}  // namespace

AnswerWriter::AnswerWriter(const Query& query, std::span<const std::uint8_t> octets,
                           std::span<std::uint8_t> room,
                           std::span<const std::uint8_t> options) noexcept
    : query_(query),
      room_(room),
      options_(options),
      writer_(room.first(room.size() - (query.edns ? kOptOctets + options.size() : 0))),
      // The opcode, RD and CD are copied (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6), the rest
      // is ours.
      flags_(
          static_cast<std::uint16_t>(kFlagQR | (query.flags & (kOpcodeMask | kFlagRD | kFlagCD)))) {
  assert(room.size() >= kMinUdpPayload);
  const std::size_t size = kHeaderOctets + query.question_octets;
  std::memcpy(writer_.append(size), octets.data(), size);  // the header is written last
}

bool AnswerWriter::add(Section section, const RRset& rrset, std::size_t owner) noexcept {
  // No pointer reaches past this; an answer so long is one of SRV records over TCP.
  if (owner > kPointerReach - Name::kMaxOctets) return add_spelled_out(section, rrset, owner);
  const std::size_t start = writer_.size();
  std::uint8_t* to = writer_.append(rrset.octets.size());
  if (to == nullptr) return false;
  std::memcpy(to, rrset.octets.data(), rrset.octets.size());
  count(section, rrset.count);
  if (owner == kHeaderOctets) return true;
  move_owners(start, owner);
  for (std::size_t index = 0; index < rrset.pointers.size(); ++index) {
    std::uint8_t* pointer = to + rrset.pointers[index];
    store_u16(pointer, static_cast<std::uint16_t>(load_u16(pointer) + owner - kHeaderOctets));
  }
  return true;
}

bool AnswerWriter::add_shifted(Section section, std::span<const std::uint8_t> records,
                               std::size_t shift) noexcept {
  std::uint8_t* at = writer_.append(records.size());
  if (at == nullptr) return false;
  std::memcpy(at, records.data(), records.size());
  std::size_t added = 0;
  for (const std::uint8_t* const end = at + records.size(); at < end; ++added) {
    store_u16(at, static_cast<std::uint16_t>(load_u16(at) + shift));
    at += kRecordHead + load_u16(at + kRecordHead - 2);
  }
  count(section, added);
  return true;
}

bool AnswerWriter::add_rotated(Section section, const RRset& rrset, std::size_t first,
                               std::size_t owner) noexcept {
  assert(first < rrset.count);
  const std::size_t start = writer_.size();
  if (first == 0 || owner > kPointerReach || !writer_.fits(rrset.octets.size())) {
    return add(section, rrset, owner);
  }
  const std::size_t split = first * (rrset.octets.size() / rrset.count);
  std::uint8_t* to = writer_.append(rrset.octets.size());
  std::memcpy(to, rrset.octets.data() + split, rrset.octets.size() - split);
  std::memcpy(to + rrset.octets.size() - split, rrset.octets.data(), split);
  count(section, rrset.count);
  if (owner != kHeaderOctets) move_owners(start, owner);
  return true;
}

bool AnswerWriter::add_groups(Section section, const RRset& rrset,
                              std::span<const std::uint32_t> ends,
                              std::span<const std::uint16_t> chosen, std::size_t owner) noexcept {
  if (owner > kPointerReach) return false;
  const auto begin = [&](std::uint16_t group) { return group == 0 ? 0 : ends[group - 1U]; };
  std::size_t octets = 0;
  for (const std::uint16_t group : chosen) octets += ends[group] - begin(group);
  const std::size_t start = writer_.size();
  std::uint8_t* to = writer_.append(octets);
  if (to == nullptr) return false;
  for (const std::uint16_t group : chosen) {
    const auto part = rrset.octets.subspan(begin(group), ends[group] - begin(group));
    // Mostly one address: then the copy is an instruction, not a call.
    if (part.size() == kARecord) {
      std::memcpy(to, part.data(), kARecord);
    } else {
      std::memcpy(to, part.data(), part.size());
    }
    to += part.size();
  }
  count(section, rrset.count);
  if (owner != kHeaderOctets) move_owners(start, owner);
  return true;
}

void AnswerWriter::move_owners(std::size_t start, std::size_t owner) noexcept {
  assert(owner <= kPointerReach);
  for (std::size_t at = start; at < writer_.size();) {
    std::uint8_t* record = writer_.at(at);
    store_u16(record, pointer_to(owner));
    at += kRecordHead + load_u16(record + kRecordHead - 2);
  }
}

// Each record with its owner's name in full.
bool AnswerWriter::add_spelled_out(Section section, const RRset& rrset,
                                   std::size_t owner) noexcept {
  if (!rrset.pointers.empty()) return false;
  std::size_t name_octets = 0;
  while (*writer_.at(owner + name_octets) != 0) {
    const std::uint8_t length = *writer_.at(owner + name_octets);
    if (length > Name::kMaxLabelOctets) return false;  // compressed: out of reach itself
    name_octets += 1U + length;
  }
  ++name_octets;
  std::uint8_t* to = writer_.append(rrset.octets.size() + rrset.count * (name_octets - 2));
  if (to == nullptr) return false;
  const std::uint8_t* from = rrset.octets.data();
  for (std::size_t record = 0; record < rrset.count; ++record) {
    const std::size_t rest = kRecordHead - 2 + load_u16(from + kRecordHead - 2);
    std::memcpy(to, writer_.at(owner), name_octets);
    std::memcpy(to + name_octets, from + 2, rest);
    to += name_octets + rest;
    from += 2 + rest;
  }
  count(section, rrset.count);
  return true;
}

void AnswerWriter::cap_ttls(std::size_t start, std::uint32_t most) noexcept {
  for (std::size_t at = start; at < writer_.size();) {
    // An owner is a pointer, or spelled out to its root.
    while (*writer_.at(at) != 0 && *writer_.at(at) <= Name::kMaxLabelOctets) {
      at += 1U + *writer_.at(at);
    }
    at += *writer_.at(at) == 0 ? 1U : 2U;
    std::uint8_t* const ttl = writer_.at(at + 4);  // behind TYPE and CLASS
    if (load_u32(ttl) > most) store_u32(ttl, most);
    at += kRecordHead - 2 + load_u16(ttl + 4);
  }
}

// The options that have their room, and the explanation if there is more.
std::size_t AnswerWriter::write_options(std::uint8_t* at, std::size_t room) noexcept {
  std::size_t size = options_.size();
  if (size > 0) std::memcpy(at, options_.data(), size);
  if (error_ == nullptr) return size;
  const std::size_t data = sizeof error_->code + error_->text.size();
  if (size + kOptionOctets + data > room) return size;
  write_option(at + size, OptionCode::ExtendedError, data);
  size += kOptionOctets;
  store_u16(at + size, error_->code);
  std::ranges::copy(error_->text, at + size + sizeof error_->code);
  return size + data;
}

std::size_t AnswerWriter::finish(Rcode rcode, std::uint16_t payload) noexcept {
  const auto low_bits = static_cast<std::uint16_t>(static_cast<std::uint16_t>(rcode) & 0xF);
  std::size_t size = writer_.size();
  if (query_.edns) {
    std::uint8_t* opt = room_.data() + size;
    std::size_t options = 0;
    if (!options_.empty() || error_ != nullptr) {
      options = write_options(opt + kOptOctets, room_.size() - size - kOptOctets);
    }
    write_opt(opt, payload, rcode, query_.edns->dnssec_ok, options);
    size += kOptOctets + options;
    count(Section::Additional, 1);
  }
  std::uint8_t* header = room_.data();
  store_u16(header, query_.id);
  store_u16(header + 2, static_cast<std::uint16_t>(flags_ | low_bits));
  store_u16(header + 4, query_.question_octets != 0 ? 1 : 0);
  store_u16(header + 6, counts_[static_cast<std::size_t>(Section::Answer)]);
  store_u16(header + 8, counts_[static_cast<std::size_t>(Section::Authority)]);
  store_u16(header + 10, counts_[static_cast<std::size_t>(Section::Additional)]);
  return size;
}

}  // namespace sluice::dns
