#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <netinet/in.h>
#include <sys/socket.h>

#include "dns/answer/respond.h"

namespace sluice::dns {

// The buffers of one turn of recvmmsg and sendmmsg, prepared once: a turn sets what the kernel
// changed and nothing else. One for each worker; nothing in it outlives UdpSocket::serve().
//
// Answers of a turn to one client and of one size travel as one letter: one way through the
// kernel's stack for all, cut into datagrams at its end (UDP_SEGMENT). Forwarders and load
// balancers ask from few ports, so under load this is the usual case behind one; the way through
// the stack is nine tenths of what an answer costs. Answers of a turn may thus change places; UDP
// promises no order.
class UdpBatch {
 public:
  // Beyond 64 the two system calls weigh under 2 % of a query, while each message more delays the
  // first answer of the batch, and a new publication, by another microsecond. No letter has more
  // segments than UDP_MAX_SEGMENTS of the oldest kernels, 64.
  static constexpr unsigned kMessages = 64;

  UdpBatch();
  UdpBatch(const UdpBatch&) = delete;
  UdpBatch& operator=(const UdpBatch&) = delete;

  struct Answer {
    Rcode rcode;
    bool truncated;
    health::AnswerSetId answer_set;
  };

  // --- receiving

  // To be filled by recvmmsg. `addresses`: with room for the address that was asked; sockets with
  // and without a wildcard share the batch.
  std::span<mmsghdr> to_receive(bool addresses) noexcept;
  const sockaddr* client(unsigned message) const noexcept {
    return reinterpret_cast<const sockaddr*>(&clients_[message]);
  }
  std::span<const std::uint8_t> query(unsigned message) const noexcept {
    return {queries_.data() + message * kQueryStride, received_[message].msg_len};
  }
  msghdr& received(unsigned message) noexcept { return received_[message].msg_hdr; }

  // --- answering

  // Forgets the letters of the turn before.
  void begin_letters() noexcept;
  // Where the next answer is written; kAnswerOctets have room.
  std::uint8_t* room() noexcept { return answers_.data() + used_; }
  // Takes what stands there as the answer to the query `to`, which stays as it is until the end.
  // `together`: into one letter with others, where that can be.
  void add(const msghdr& to, const Answered& answered, bool together) noexcept;
  // Makes the letters ready to be sent, and the batch to receive again.
  void end_letters(unsigned received) noexcept;

  // --- sending

  std::span<mmsghdr> letters() noexcept { return std::span(sent_).first(letter_count_); }
  std::span<const Answer> answers_of(std::size_t letter) const noexcept {
    return std::span(sorted_).subspan(letters_[letter].first, letters_[letter].answers);
  }
  // One answer of a letter, to be sent by itself. Valid until the next call.
  const msghdr& single(std::size_t letter, std::size_t answer) noexcept;

  // The largest max_udp_payload.
  static constexpr std::size_t kAnswerOctets = 4096;

 private:
  // A query larger than the largest payload that anybody may announce to us is cut, and so refused
  // as malformed.
  static constexpr std::size_t kQueryOctets = 4096;
  // 65 cache lines from one query to the next: at a distance of 4096 all would fall into the same
  // set of the first-level cache.
  static constexpr std::size_t kQueryStride = kQueryOctets + 64;
  // A segment may not be larger than what the way's MTU leaves; this fits every way that IPv6 has
  // (1,280 less 48).
  static constexpr std::size_t kSegmentOctets = 1232;
  // A letter is one packet until it is cut (RFC 768: 65,535 octets, headers included).
  static constexpr std::size_t kLetterOctets = 65'000;

  // What the kernel tells of the asked address and is told of the segments. in6_pktinfo is the
  // larger of its two kinds.
  static constexpr std::size_t kAddressOctets = CMSG_SPACE(sizeof(in6_pktinfo));
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, kAddressOctets + CMSG_SPACE(sizeof(std::uint16_t))> octets;
  };
  struct Letter {
    const msghdr* to = nullptr;  // its first query
    std::uint16_t answers = 0;
    std::uint16_t segment = 0;  // octets of each answer
    std::uint16_t first = 0;    // of its answers, in the order of the letters
  };
  // Where a letter for a client and a size may be found: twice as many places as letters. What is
  // found is compared; of two letters at one place the later one is open for more.
  static constexpr std::size_t kPlaces = 128;
  static constexpr std::uint8_t kNoLetter = 0xFF;

  static std::size_t place_of(const msghdr& to, std::size_t size) noexcept;
  bool takes(const Letter& letter, const msghdr& to, std::size_t size) const noexcept;
  std::size_t new_letter(const msghdr& to, std::size_t size) noexcept;
  void sort_answers() noexcept;
  void address(std::size_t letter) noexcept;

  bool addresses_asked_ = false;
  std::array<mmsghdr, kMessages> received_{};
  std::array<mmsghdr, kMessages> sent_{};
  std::array<iovec, kMessages> received_octets_{};
  std::array<sockaddr_in6, kMessages> clients_{};  // has room for sockaddr_in too
  std::array<Control, kMessages> controls_{};      // of received_
  std::array<Control, kMessages> segments_{};      // of sent_
  std::array<std::uint8_t, kPlaces> places_{};
  std::array<Letter, kMessages> letters_{};
  std::size_t letter_count_ = 0;
  // By answer, as they were made: what it is, where it stands, its letter.
  std::array<Answer, kMessages> answered_{};
  std::array<iovec, kMessages> octets_{};
  std::array<std::uint8_t, kMessages> letter_of_{};
  std::size_t answer_count_ = 0;
  std::size_t used_ = 0;
  // The same by letter: those of one letter stand together.
  std::array<Answer, kMessages> sorted_{};
  std::array<iovec, kMessages> sent_octets_{};
  msghdr single_{};
  std::array<std::uint8_t, kMessages * kQueryStride> queries_;
  // Answers are packed, so that ordinary ones stay in a few kilobytes.
  std::array<std::uint8_t, kMessages * kAnswerOctets> answers_;
};

}  // namespace sluice::dns
