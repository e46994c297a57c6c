#include "dns/answer/limit.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

#include "dns/wire/edns.h"
#include "dns/wire/writer.h"

namespace sluice::dns {

namespace {

constexpr std::uint32_t kAnswer = 1'000;  // thousandths

base::IpAddress address_of(std::span<const std::uint8_t> octets) noexcept {
  if (octets.size() == 4) {
    std::array<std::uint8_t, 4> v4{};
    std::ranges::copy(octets, v4.begin());
    return base::IpAddress::v4(v4);
  }
  std::array<std::uint8_t, 16> v6{};
  std::ranges::copy(octets, v6.begin());
  return base::IpAddress::v6(v6);
}

std::size_t question_end(std::span<const std::uint8_t> message) noexcept {
  std::size_t at = kHeaderOctets;
  if (load_u16(message.data() + 4) == 0) return at;
  while (message[at] != 0) at += 1U + message[at];
  return at + 5;  // the root, QTYPE, QCLASS
}

// Shortens an OPT record by its Extended DNS Error, which is the last option: what goes to a victim
// is to be no more than was sent in its name. Returns what is left.
std::size_t without_explanation(std::span<std::uint8_t> opt) noexcept {
  if (opt.empty()) return 0;
  std::size_t at = kOptOctets;
  while (at < opt.size() &&
         load_u16(opt.data() + at) != static_cast<std::uint16_t>(OptionCode::ExtendedError)) {
    at += kOptionOctets + load_u16(opt.data() + at + 2);
  }
  store_u16(opt.data() + kOptOctets - 2, static_cast<std::uint16_t>(at - kOptOctets));
  return at;
}

}  // namespace

ResponseLimiter::ResponseLimiter(const config::RateLimit& settings, const SipKey& key)
    : key_(key),
      per_second_(settings.responses_per_second),
      most_(settings.burst * kAnswer),
      slip_(settings.slip),
      ipv4_prefix_(settings.ipv4_prefix),
      ipv6_prefix_(settings.ipv6_prefix),
      exempt_(settings.exempt),
      sets_(std::bit_ceil(settings.accounts) / std::tuple_size_v<decltype(Set::accounts)>) {
  assert(per_second_ > 0 && settings.burst > 0 && !sets_.empty());
  for (Set& set : sets_) {
    for (Account& account : set.accounts) account.credit = most_;
  }
}

ResponseLimiter::Verdict ResponseLimiter::judge(std::span<const std::uint8_t> client,
                                                const Answered& answered,
                                                std::uint32_t now) noexcept {
  if (answered.about == Answered::kKnownClient || client.empty()) return Verdict::Send;
  Account& account = account_of(hash_of(client, answered), now);
  if (account.credit >= kAnswer) {
    account.credit -= kAnswer;
    return Verdict::Send;
  }
  // Looked up only here: nobody pays for the list who does not need it.
  if (is_exempt(client)) return Verdict::Send;
  if (slip_ == 0 || ++account.limited < slip_) return Verdict::Drop;
  account.limited = 0;
  return Verdict::Slip;
}

// The account with its credit as of now.
ResponseLimiter::Account& ResponseLimiter::account_of(std::uint64_t hash,
                                                      std::uint32_t now) noexcept {
  Set& set = sets_[hash & (sets_.size() - 1)];
  const auto tag = static_cast<std::uint32_t>(hash >> 32);
  Account* richest = nullptr;
  std::uint32_t most_credit = 0;
  for (Account& account : set.accounts) {
    const std::uint32_t credit = credit_at(account, now);
    if (account.tag == tag) {
      account.credit = credit;
      account.seen = now;
      return account;
    }
    if (richest == nullptr || credit > most_credit) {
      richest = &account;
      most_credit = credit;
    }
  }
  *richest = {tag, now, most_credit, 0};
  return *richest;
}

// Of what is sent: the client's block, the kind of answer (its RCODE), and the name that answered.
std::uint64_t ResponseLimiter::hash_of(std::span<const std::uint8_t> client,
                                       const Answered& answered) const noexcept {
  const bool v4 = client.size() == 4;
  const std::size_t bits = v4 ? ipv4_prefix_ : ipv6_prefix_;
  // Address, family, RCODE, name.
  std::array<std::uint8_t, 24> octets{};
  std::copy_n(client.begin(), (bits + 7) / 8, octets.begin());
  if (bits % 8 != 0) octets[bits / 8] &= static_cast<std::uint8_t>(0xFF00U >> (bits % 8));
  octets[16] = v4 ? 4 : 6;
  store_u16(octets.data() + 18, static_cast<std::uint16_t>(answered.rcode));
  store_u32(octets.data() + 20, answered.about);
  return siphash(key_, octets);
}

std::uint32_t ResponseLimiter::credit_at(const Account& account, std::uint32_t now) const noexcept {
  const std::uint64_t earned = std::uint64_t{now - account.seen} * per_second_;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(most_, account.credit + earned));
}

bool ResponseLimiter::is_exempt(std::span<const std::uint8_t> client) const noexcept {
  if (exempt_.empty()) return false;
  const base::IpAddress address = address_of(client);
  return std::ranges::any_of(exempt_,
                             [&](const base::Prefix& prefix) { return prefix.contains(address); });
}

Answered cut_short(std::span<std::uint8_t> message, const Answered& answered) noexcept {
  const std::size_t end = question_end(message.first(answered.size));
  std::uint8_t* const opt = message.data() + end;
  std::memmove(opt, message.data() + answered.size - answered.opt_octets, answered.opt_octets);
  const std::size_t opt_octets = without_explanation({opt, answered.opt_octets});
  std::uint8_t* header = message.data();
  store_u16(header + 2, load_u16(header + 2) | kFlagTC);
  store_u32(header + 6, 0);  // ANCOUNT, NSCOUNT
  store_u16(header + 10, opt_octets != 0 ? 1 : 0);
  Answered cut = answered;
  cut.opt_octets = static_cast<std::uint16_t>(opt_octets);
  cut.size = static_cast<std::uint32_t>(end + opt_octets);
  return cut;
}

}  // namespace sluice::dns
