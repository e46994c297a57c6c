#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/file_descriptor.h"
#include "config/base/result.h"

namespace sluice {

// What two processes of the authority tell each other while one takes the other's place: a word
// ("type"), what belongs to it, and descriptors. On the wire it is CBOR (RFC 8949): the two may be
// of different versions, each passes over members that it does not know.
struct HandoverMessage {
  nlohmann::json body;
  std::vector<base::FileDescriptor> descriptors;

  // The word; empty where there is none.
  std::string_view type() const noexcept;

  // The body of what came, from any octets; discarded (is_discarded()) where they are not CBOR, or
  // deeper than any message is.
  static nlohmann::json read(std::span<const std::uint8_t> octets);
};

// One end of their channel, a pair of unix sockets of the kind that keeps messages whole. When a
// process ends, however it ends, the other one reads so. One thread.
class HandoverChannel {
 public:
  // The kernel's own limit (SCM_MAX_FD), and what fits into a socket's buffer by Linux's default
  // (net.core.wmem_default, 212,992) with the kernel's own account of it.
  static constexpr std::size_t kMostDescriptors = 253;
  static constexpr std::size_t kMostOctets = 160 << 10;

  // Why there is no message.
  enum class Silence : std::uint8_t { NotYet, Ended, Broken };

  explicit HandoverChannel(base::FileDescriptor fd) noexcept : fd_(std::move(fd)) {}
  // Both ends, closed on exec.
  static base::Checked<std::pair<HandoverChannel, base::FileDescriptor>> make();

  int fd() const noexcept { return fd_.get(); }

  // Waits so long for room. The descriptors stay the caller's.
  base::Checked<base::Done> send(const nlohmann::json& body, const std::vector<int>& descriptors,
                                 base::Duration patience);
  // Waits so long for a message.
  base::Result<HandoverMessage, Silence> receive(base::Duration patience);

 private:
  base::FileDescriptor fd_;
};

}  // namespace sluice
