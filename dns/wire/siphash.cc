#include "dns/wire/siphash.h"

#include <bit>
#include <cassert>
#include <cstddef>

#include <sys/random.h>

namespace sluice::dns {

namespace {

constexpr std::size_t kWord = 8;

// Octets of the hash are numbered from the lowest, on any machine.
std::uint64_t load_low_first(const std::uint8_t* at, std::size_t count) noexcept {
  std::uint64_t word = 0;
  for (std::size_t index = 0; index < count; ++index) {
    word |= std::uint64_t{at[index]} << (8 * index);
  }
  return word;
}

class SipState {
 public:
  // The constants are the paper's: "somepseudorandomlygeneratedbytes".
  SipState(std::uint64_t low, std::uint64_t high) noexcept
      : a_(low ^ 0x736f6d6570736575),
        b_(high ^ 0x646f72616e646f6d),
        c_(low ^ 0x6c7967656e657261),
        d_(high ^ 0x7465646279746573) {}

  void compress(std::uint64_t word) noexcept {
    d_ ^= word;
    round();
    round();
    a_ ^= word;
  }

  std::uint64_t finish() noexcept {
    c_ ^= 0xff;
    for (int count = 0; count < 4; ++count) round();
    return a_ ^ b_ ^ c_ ^ d_;
  }

 private:
  void round() noexcept {
    a_ += b_;
    b_ = std::rotl(b_, 13) ^ a_;
    a_ = std::rotl(a_, 32);
    c_ += d_;
    d_ = std::rotl(d_, 16) ^ c_;
    a_ += d_;
    d_ = std::rotl(d_, 21) ^ a_;
    c_ += b_;
    b_ = std::rotl(b_, 17) ^ c_;
    c_ = std::rotl(c_, 32);
  }

  std::uint64_t a_, b_, c_, d_;
};

}  // namespace

SipKey random_sip_key() {
  SipKey key{};
  const ssize_t size = getrandom(key.data(), key.size(), 0);
  assert(size == static_cast<ssize_t>(key.size()));  // 256 octets at once never fail
  static_cast<void>(size);
  return key;
}

std::uint64_t siphash(const SipKey& key, std::span<const std::uint8_t> message) noexcept {
  SipState state(load_low_first(key.data(), kWord), load_low_first(key.data() + kWord, kWord));
  const std::uint8_t* at = message.data();
  std::size_t left = message.size();
  for (; left >= kWord; at += kWord, left -= kWord) state.compress(load_low_first(at, kWord));
  state.compress(load_low_first(at, left) | std::uint64_t{message.size() & 0xFF} << 56);
  return state.finish();
}

void store_siphash(std::uint8_t* at, std::uint64_t hash) noexcept {
  for (std::size_t index = 0; index < kWord; ++index) {
    at[index] = static_cast<std::uint8_t>(hash >> (8 * index));
  }
}

}  // namespace sluice::dns
