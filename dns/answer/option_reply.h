#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dns/answer/respond.h"
#include "dns/answer/response_settings.h"
#include "dns/wire/cookie.h"
#include "dns/wire/edns.h"
#include "dns/wire/query.h"

namespace sluice::dns {

// What the options of one query get: the options of its answer's OPT record, ready before the
// answer is written, so that room is kept for them; and what they say about whether it is answered
// at all.
class OptionReply {
 public:
  // REQUIRES: query.edns. `octets` is the message it was read from. `room`: octets that the answer
  // may have in all.
  OptionReply(const ResponseSettings& settings, const QueryContext& context, const Query& query,
              std::span<const std::uint8_t> octets, std::size_t room) noexcept;

  // For the OPT record, as they are sent.
  std::span<const std::uint8_t> options() const noexcept { return {options_.data(), size_}; }
  // FORMERR, BADCOOKIE, or what a query without a question gets; none: it is answered.
  std::optional<Rcode> conclusion() const noexcept { return conclusion_; }
  // The client has shown that it gets what is sent to its address.
  bool is_client_known() const noexcept { return client_known_; }

 private:
  // Each fits whatever the others take, but for NSID, which is left out then (RFC 5001 section 2.2
  // leaves it to the server).
  static constexpr std::size_t kMostSubnetOctets = 20;
  static constexpr std::size_t kMostIdentityOctets = 255;
  static constexpr std::size_t kKeepaliveOctets = 2;
  static constexpr std::size_t kMost = 4 * kOptionOctets + kCookieOctets + kMostSubnetOctets +
                                       kKeepaliveOctets + kMostIdentityOctets;

  void add_cookie(const ResponseSettings& settings, const QueryContext& context,
                  std::span<const std::uint8_t> cookie) noexcept;
  void add(OptionCode code, std::span<const std::uint8_t> data) noexcept;
  std::uint8_t* start(OptionCode code, std::size_t size) noexcept;

  std::array<std::uint8_t, kMost> options_;  // the first size_ are set
  std::size_t size_ = 0;
  std::optional<Rcode> conclusion_;
  bool client_known_ = false;
};

}  // namespace sluice::dns
