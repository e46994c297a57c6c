#include "tools/sluice-agent/checks/sip_question.h"

#include <algorithm>
#include <array>
#include <random>

#include "tools/sluice-agent/log.h"

namespace sluice::agent {
namespace {

// 16 hex digits: no other request has them, as section 8.1.1.7 wants of a branch.
std::string random_word() {
  static std::random_device device;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string word;
  for (int i = 0; i < 2; ++i) {
    for (unsigned left = 8, bits = device(); left > 0; --left, bits >>= 4U) {
      word += kDigits[bits & 0xfU];
    }
  }
  return word;
}

}  // namespace

SipQuestion::SipQuestion(const config::SipCheck& check)
    : check_(check), identity_{random_word(), random_word(), random_word()} {}

std::string SipQuestion::request(const base::SocketAddress& local) const {
  return sip_options(check_.target, local, check_.transport, identity_);
}

std::optional<std::string> SipQuestion::judge(std::string_view octets) const {
  const auto response = parse_sip_response(octets);
  if (!response || response->branch != identity_.branch || response->method != "OPTIONS") return {};
  if (response->status < 200) return {};
  const auto& wanted = check_.status;
  const bool passes = wanted.empty() ? response->status < 300
                                     : std::ranges::find(wanted, response->status) != wanted.end();
  if (passes) return "";
  return "answered " + std::to_string(response->status) + " " + printable(response->reason, 60);
}

}  // namespace sluice::agent
