#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <sys/socket.h>

#include "config/base/address.h"
#include "config/base/file_descriptor.h"
#include "tools/bench/load/exchange.h"

namespace sluice::bench {

// One UDP socket that asks. A generator must cost less than what it measures: queries of one size
// that follow each other go to the kernel as one packet that it cuts (UDP_SEGMENT), answers come
// joined where the other side sent them so (UDP_GRO). The server sees single datagrams all the
// same.
class UdpAsker {
 public:
  // As many as the servers of the field take at once.
  static constexpr unsigned kBatch = 64;

  UdpAsker(const base::SocketAddress& server, std::span<const Question> questions, Tally& tally);
  UdpAsker(const UdpAsker&) = delete;
  UdpAsker& operator=(const UdpAsker&) = delete;

  int fd() const noexcept { return fd_.get(); }
  Exchange& exchange() noexcept { return exchange_; }

  void ask(unsigned count);  // at most kBatch
  // Of what has come, kBatch at most. Returns how many.
  unsigned take_answers();
  // The first answer to each question is kept from now on; empty: none came.
  void keep_answers(std::size_t count) { kept_.resize(count); }
  std::span<const std::vector<std::uint8_t>> kept() const noexcept { return kept_; }

 private:
  static constexpr std::size_t kAnswerOctets = 4096;

  unsigned letter_end(unsigned first, unsigned count) const noexcept;
  void take(std::span<const std::uint8_t> answer, std::uint64_t time);

  base::FileDescriptor fd_;
  Exchange exchange_;
  std::vector<std::uint8_t> queries_;
  std::array<std::uint16_t, kBatch> sizes_{};
  std::vector<std::uint8_t> answers_ = std::vector<std::uint8_t>(kBatch * kAnswerOctets);
  std::array<mmsghdr, kBatch> in_{};
  std::array<iovec, kBatch> in_octets_{};
  std::vector<std::vector<std::uint8_t>> kept_;
};

}  // namespace sluice::bench
