#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "config/base/clock.h"

namespace sluice::base {

// The keys of session tickets. A ticket is a session in the client's keeping, and who learns its
// key reads what was said by TLS 1.2 with it: so there is a new key every hour, and an old one goes
// when the last of its tickets is over (RFC 9325 section 3.4 asks for a week or less). Any thread.
class TicketKeys {
 public:
  struct Key {
    std::array<std::uint8_t, 16> name{};  // stands in the ticket
    std::array<std::uint8_t, 32> cipher{};
    std::array<std::uint8_t, 32> mac{};
  };
  static constexpr auto kNewEvery = std::chrono::hours(1);
  // How long a ticket is good: an authority that was away for less is found again by cheap
  // handshakes.
  static constexpr auto kTicketLife = std::chrono::hours(2);

  ~TicketKeys();

  // What new tickets are made with; nothing when the system has no random octets.
  std::optional<Key> current(MonoTime now);
  struct Found {
    Key key;
    bool is_current = false;  // else the client may have a new ticket
  };
  std::optional<Found> find(std::span<const std::uint8_t, 16> name, MonoTime now);

 private:
  struct Dated {
    Key key;
    MonoTime since{};
    bool made = false;
  };
  static constexpr std::size_t kKept = 3;  // the current one, and those of two hours before

  std::mutex mutex_;
  std::array<Dated, kKept> keys_;  // newest first
};

}  // namespace sluice::base
