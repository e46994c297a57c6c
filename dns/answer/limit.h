#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "config/base/address.h"
#include "config/model.h"
#include "dns/answer/respond.h"
#include "dns/wire/siphash.h"

namespace sluice::dns {

// Response rate limiting over UDP: answers of one kind about one name to one block of addresses are
// an account, a token bucket. A resolver asks for a name once a TTL; a reflected flood asks for one
// over and over, with the victim's address. What is not sent hurts no victim, and each
// `slip`th answer goes out empty and truncated instead, so that a client whose block is abused gets
// through over TCP.
//
// Fixed memory, made at once; no clock of its own. One for each worker, without a lock: the limit
// holds for each worker by itself. A flow of one address and port reaches one worker, so dividing
// the limit would punish exactly that client; a flood from many ports gets `workers` times as much.
class ResponseLimiter {
 public:
  enum class Verdict : std::uint8_t { Send, Slip, Drop };

  // REQUIRES: settings.responses_per_second > 0. `key` is random, so that nobody can choose clients
  // that share accounts or push each other out of the table.
  ResponseLimiter(const config::RateLimit& settings, const SipKey& key);

  // Takes an answer into account. `client`: the octets of its address, 4 or 16; `now`:
  // milliseconds of any clock, modulo 2^32; a clock that is set back fills the buckets once.
  Verdict judge(std::span<const std::uint8_t> client, const Answered& answered,
                std::uint32_t now) noexcept;

 private:
  struct Account {
    std::uint32_t tag = 0;      // of the account's hash; the set is found by the other half
    std::uint32_t seen = 0;     // when credit was right, milliseconds
    std::uint32_t credit = 0;   // thousandths of answers that may be sent
    std::uint32_t limited = 0;  // answers since the last that slipped
  };
  // A cache line. A new account takes the place of the one with the most credit, and that credit:
  // to forget it costs least, passers-by push each other out and not those who are limited, and who
  // brings more accounts than there is room for gains nothing.
  struct alignas(64) Set {
    std::array<Account, 4> accounts;
  };

  Account& account_of(std::uint64_t hash, std::uint32_t now) noexcept;
  std::uint64_t hash_of(std::span<const std::uint8_t> client,
                        const Answered& answered) const noexcept;
  std::uint32_t credit_at(const Account& account, std::uint32_t now) const noexcept;
  bool is_exempt(std::span<const std::uint8_t> client) const noexcept;

  SipKey key_;
  std::uint32_t per_second_;  // and so thousandths a millisecond
  std::uint32_t most_;        // credit
  std::uint32_t slip_;
  std::uint8_t ipv4_prefix_;
  std::uint8_t ipv6_prefix_;
  std::vector<base::Prefix> exempt_;
  std::vector<Set> sets_;  // a power of two
};

// Makes a whole answer an empty truncated one, with its question and OPT.
Answered cut_short(std::span<std::uint8_t> message, const Answered& answered) noexcept;

}  // namespace sluice::dns
