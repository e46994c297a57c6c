#include "dns/server/udp_batch.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include <netinet/udp.h>

#include "dns/wire/types.h"

namespace sluice::dns {
namespace {

constexpr std::size_t kFlagsOctet = 2;  // of the header: QR, OPCODE, AA, TC, RD
constexpr std::uint8_t kTruncated = kFlagTC >> 8;

bool same(const void* one, std::size_t one_size, const void* other,
          std::size_t other_size) noexcept {
  return one_size == other_size && (one_size == 0 || std::memcmp(one, other, one_size) == 0);
}

}  // namespace

UdpBatch::UdpBatch() {
  for (std::size_t i = 0; i < kMessages; ++i) {
    received_octets_[i] = {queries_.data() + i * kQueryStride, kQueryOctets};
    received_[i].msg_hdr.msg_name = &clients_[i];
    received_[i].msg_hdr.msg_namelen = sizeof clients_[i];
    received_[i].msg_hdr.msg_iov = &received_octets_[i];
    received_[i].msg_hdr.msg_iovlen = 1;
    sent_[i].msg_hdr.msg_iov = &sent_octets_[i];
    sent_[i].msg_hdr.msg_iovlen = 1;
  }
}

std::span<mmsghdr> UdpBatch::to_receive(bool addresses) noexcept {
  if (addresses_asked_ != addresses) {
    addresses_asked_ = addresses;
    for (std::size_t i = 0; i < kMessages; ++i) {
      received_[i].msg_hdr.msg_control = addresses ? controls_[i].octets.data() : nullptr;
      received_[i].msg_hdr.msg_controllen = addresses ? kAddressOctets : 0;
    }
  }
  return received_;
}

void UdpBatch::begin_letters() noexcept {
  letter_count_ = 0;
  answer_count_ = 0;
  used_ = 0;
}

bool UdpBatch::extends(const Letter& letter, const msghdr& to, std::size_t size) const noexcept {
  if (!letter.open || size > letter.segment) return false;
  if (std::size_t{letter.answers} * letter.segment + size > kLetterOctets) return false;
  // The letter's header has the address and the asked address of its first query.
  const msghdr& header = sent_[letter_count_ - 1].msg_hdr;
  return same(header.msg_name, header.msg_namelen, to.msg_name, to.msg_namelen) &&
         same(header.msg_control, header.msg_controllen, to.msg_control, to.msg_controllen);
}

void UdpBatch::add(const msghdr& to, const Answered& answered, bool together) noexcept {
  assert(answer_count_ < kMessages && answered.size <= kAnswerOctets);
  std::uint8_t* octets = room();
  answered_[answer_count_] = {answered.rcode, (octets[kFlagsOctet] & kTruncated) != 0};
  if (together && letter_count_ > 0 && extends(letters_[letter_count_ - 1], to, answered.size)) {
    Letter& letter = letters_[letter_count_ - 1];
    ++letter.answers;
    letter.open = answered.size == letter.segment;
    sent_octets_[letter_count_ - 1].iov_len += answered.size;
  } else {
    letters_[letter_count_] = {static_cast<std::uint16_t>(answer_count_), 1,
                               static_cast<std::uint16_t>(answered.size),
                               answered.size <= kSegmentOctets};
    msghdr& header = sent_[letter_count_].msg_hdr;
    header.msg_name = to.msg_name;
    header.msg_namelen = to.msg_namelen;
    header.msg_control = to.msg_control;
    header.msg_controllen = to.msg_controllen;
    sent_octets_[letter_count_] = {octets, answered.size};
    ++letter_count_;
  }
  ++answer_count_;
  used_ += answered.size;
}

void UdpBatch::mark_segments(std::size_t letter) noexcept {
  msghdr& header = sent_[letter].msg_hdr;
  Control& control = segments_[letter];
  const std::size_t address = header.msg_controllen;
  assert(address <= kAddressOctets);
  if (address > 0) std::memcpy(control.octets.data(), header.msg_control, address);
  auto* part = reinterpret_cast<cmsghdr*>(control.octets.data() + address);
  part->cmsg_level = IPPROTO_UDP;
  part->cmsg_type = UDP_SEGMENT;
  part->cmsg_len = CMSG_LEN(sizeof letters_[letter].segment);
  std::memcpy(CMSG_DATA(part), &letters_[letter].segment, sizeof letters_[letter].segment);
  header.msg_control = control.octets.data();
  header.msg_controllen = address + CMSG_SPACE(sizeof letters_[letter].segment);
}

void UdpBatch::end_receiving(unsigned received) noexcept {
  for (std::size_t letter = 0; letter < letter_count_; ++letter) {
    if (letters_[letter].answers > 1) mark_segments(letter);
  }
  for (unsigned i = 0; i < received; ++i) {
    received_[i].msg_hdr.msg_namelen = sizeof clients_[i];
    received_[i].msg_hdr.msg_controllen = addresses_asked_ ? kAddressOctets : 0;
  }
}

const msghdr& UdpBatch::single(std::size_t letter, std::size_t answer) noexcept {
  const Letter& of = letters_[letter];
  assert(of.answers > 1 && answer < of.answers);
  const iovec& all = sent_octets_[letter];
  const std::size_t begin = answer * of.segment;
  single_octets_ = {static_cast<std::uint8_t*>(all.iov_base) + begin,
                    std::min(std::size_t{of.segment}, all.iov_len - begin)};
  single_ = sent_[letter].msg_hdr;
  single_.msg_iov = &single_octets_;
  single_.msg_controllen -= CMSG_SPACE(sizeof of.segment);  // segments no more
  if (single_.msg_controllen == 0) single_.msg_control = nullptr;
  return single_;
}

}  // namespace sluice::dns
