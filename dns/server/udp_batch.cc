#include "dns/server/udp_batch.h"

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
  places_.fill(kNoLetter);
  letter_count_ = 0;
  answer_count_ = 0;
  used_ = 0;
}

// By what differs between clients of one family: the port and the end of the address.
std::size_t UdpBatch::place_of(const msghdr& to, std::size_t size) noexcept {
  assert(to.msg_namelen >= 8);
  const auto* name = static_cast<const std::uint8_t*>(to.msg_name);
  std::uint32_t port = 0;
  std::uint32_t address = 0;
  std::memcpy(&port, name, sizeof port);  // the family too, which is that of all
  std::memcpy(&address, name + (to.msg_namelen == sizeof(sockaddr_in) ? 4 : 20), sizeof address);
  const std::uint32_t mixed = (port ^ address ^ static_cast<std::uint32_t>(size)) * 0x9E3779B1;
  return mixed >> 25;  // kPlaces is 2^7
}

bool UdpBatch::takes(const Letter& letter, const msghdr& to, std::size_t size) const noexcept {
  if (letter.segment != size || (letter.answers + 1U) * size > kLetterOctets) return false;
  return same(letter.to->msg_name, letter.to->msg_namelen, to.msg_name, to.msg_namelen) &&
         same(letter.to->msg_control, letter.to->msg_controllen, to.msg_control, to.msg_controllen);
}

std::size_t UdpBatch::new_letter(const msghdr& to, std::size_t size) noexcept {
  letters_[letter_count_] = {&to, 0, static_cast<std::uint16_t>(size), 0};
  return letter_count_++;
}

void UdpBatch::add(const msghdr& to, const Answered& answered, bool together) noexcept {
  assert(answer_count_ < kMessages && answered.size <= kAnswerOctets);
  std::size_t letter = kNoLetter;
  if (together && answered.size <= kSegmentOctets) {
    std::uint8_t& place = places_[place_of(to, answered.size)];
    if (place == kNoLetter || !takes(letters_[place], to, answered.size)) {
      place = static_cast<std::uint8_t>(new_letter(to, answered.size));
    }
    letter = place;
  } else {
    letter = new_letter(to, answered.size);
  }
  ++letters_[letter].answers;
  std::uint8_t* octets = room();
  answered_[answer_count_] = {answered.rcode, (octets[kFlagsOctet] & kTruncated) != 0,
                              answered.answer_set};
  octets_[answer_count_] = {octets, answered.size};
  letter_of_[answer_count_] = static_cast<std::uint8_t>(letter);
  ++answer_count_;
  used_ += answered.size;
}

void UdpBatch::end_letters(unsigned received) noexcept {
  sort_answers();
  for (std::size_t letter = 0; letter < letter_count_; ++letter) address(letter);
  for (unsigned i = 0; i < received; ++i) {
    // The kernel had set them to what the client needed.
    received_[i].msg_hdr.msg_namelen = sizeof clients_[i];
    received_[i].msg_hdr.msg_controllen = addresses_asked_ ? kAddressOctets : 0;
  }
}

void UdpBatch::sort_answers() noexcept {
  std::uint16_t first = 0;
  std::array<std::uint16_t, kMessages> next;
  for (std::size_t letter = 0; letter < letter_count_; ++letter) {
    next[letter] = letters_[letter].first = first;
    first = static_cast<std::uint16_t>(first + letters_[letter].answers);
  }
  for (std::size_t answer = 0; answer < answer_count_; ++answer) {
    const std::uint16_t to = next[letter_of_[answer]]++;
    sorted_[to] = answered_[answer];
    sent_octets_[to] = octets_[answer];
  }
}

// Makes what sendmmsg is given.
void UdpBatch::address(std::size_t letter) noexcept {
  const Letter& of = letters_[letter];
  msghdr& header = sent_[letter].msg_hdr;
  header = *of.to;
  header.msg_iov = &sent_octets_[of.first];
  header.msg_iovlen = of.answers;
  if (of.answers == 1) return;
  Control& control = segments_[letter];
  const std::size_t asked = header.msg_controllen;
  assert(asked <= kAddressOctets);
  if (asked > 0) std::memcpy(control.octets.data(), header.msg_control, asked);
  auto* part = reinterpret_cast<cmsghdr*>(control.octets.data() + asked);
  part->cmsg_level = IPPROTO_UDP;
  part->cmsg_type = UDP_SEGMENT;
  part->cmsg_len = CMSG_LEN(sizeof of.segment);
  std::memcpy(CMSG_DATA(part), &of.segment, sizeof of.segment);
  header.msg_control = control.octets.data();
  header.msg_controllen = asked + CMSG_SPACE(sizeof of.segment);
}

const msghdr& UdpBatch::single(std::size_t letter, std::size_t answer) noexcept {
  const Letter& of = letters_[letter];
  assert(of.answers > 1 && answer < of.answers);
  single_ = sent_[letter].msg_hdr;
  single_.msg_iov = &sent_octets_[of.first + answer];
  single_.msg_iovlen = 1;
  single_.msg_controllen -= CMSG_SPACE(sizeof of.segment);  // no segments any more
  if (single_.msg_controllen == 0) single_.msg_control = nullptr;
  return single_;
}

}  // namespace sluice::dns
