#include "tools/sluicectl/token.h"

#include <array>
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <openssl/evp.h>
#include <sys/random.h>

namespace sluice::ctl {
namespace {

constexpr std::size_t kTokenOctets = 32;

std::string hex(std::span<const std::uint8_t> octets) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t octet : octets) text += {kDigits[octet >> 4], kDigits[octet & 0xF]};
  return text;
}

}  // namespace

base::Checked<std::string> make_token() {
  std::array<std::uint8_t, kTokenOctets> octets{};
  // Up to 256 octets come whole (getrandom(2)); only a signal that is caught can interrupt it.
  if (getrandom(octets.data(), octets.size(), 0) != static_cast<ssize_t>(octets.size())) {
    return base::failure(std::string("no randomness from the kernel: ") + std::strerror(errno));
  }
  return hex(octets);
}

std::string sha256_hex(const std::string& text) {
  std::array<std::uint8_t, 32> digest{};
  const int made =
      EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  assert(made == 1);  // fails without memory only
  static_cast<void>(made);
  return hex(digest);
}

std::string token_line(const std::string& name, const std::string& role, const std::string& server,
                       const std::vector<std::string>& pools, const std::string& sha256) {
  std::string where = server.empty() ? "" : ", server: " + server;
  for (const std::string& pool : pools)
    where += (&pool == pools.data() ? ", pools: [" : ", ") + pool;
  if (!pools.empty()) where += "]";
  return "- {name: " + name + ", role: " + role + where + ", sha256: \"" + sha256 + "\"}";
}

}  // namespace sluice::ctl
