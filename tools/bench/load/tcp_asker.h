#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/base/address.h"
#include "config/base/file_descriptor.h"
#include "tools/bench/load/exchange.h"

namespace sluice::bench {

// One TCP connection that asks, many queries at once (RFC 7766 section 6.2.1.1).
class TcpAsker {
 public:
  TcpAsker(const base::SocketAddress& server, std::span<const Question> questions, Tally& tally);
  TcpAsker(const TcpAsker&) = delete;
  TcpAsker& operator=(const TcpAsker&) = delete;

  int fd() const noexcept { return fd_.get(); }
  Exchange& exchange() noexcept { return exchange_; }

  // All of them in one write, as far as the kernel takes them: what it leaves is not asked.
  void ask(unsigned count);
  // What has come, one read. Returns how many answers; ends the program when the server hung up.
  unsigned take_answers();

 private:
  static constexpr std::size_t kReadOctets = 256 << 10;

  void write_rest();

  base::FileDescriptor fd_;
  Exchange exchange_;
  std::vector<std::uint8_t> rest_;  // of queries that the kernel took in part
  std::vector<std::uint8_t> answers_ = std::vector<std::uint8_t>(kReadOctets + 65'537);
  std::size_t waiting_ = 0;  // octets in answers_, less than one message
};

}  // namespace sluice::bench
