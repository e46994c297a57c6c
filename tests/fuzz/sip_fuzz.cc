// What answers a SIP check -> the same message of a stream however it comes in pieces; a response
// that, written again in the plainest form, is the same; a judgement of what answers our request
// alone, in one line.
//
// The first octet chooses the cuts. "BRANCH" in the rest stands for that of the request.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/fuzz/cuts.h"
#include "tests/fuzz/require.h"
#include "tools/sluice-agent/checks/sip_question.h"

namespace {

using namespace sluice;
using namespace sluice::agent;
using fuzz::require;

const base::SocketAddress& here() {
  static const base::SocketAddress kHere = *base::SocketAddress::parse("192.0.2.9@40000");
  return kHere;
}

std::string branch_of(const SipQuestion& question) {
  constexpr std::string_view kBefore = "branch=z9hG4bK";
  const std::string request = question.request(here());
  const std::size_t at = request.find(kBefore) + kBefore.size();
  return request.substr(at, request.find(';', at) - at);
}

std::string with_branch(std::string text, const std::string& branch) {
  constexpr std::string_view kName = "BRANCH";
  for (std::size_t at = 0; (at = text.find(kName, at)) != std::string::npos; at += branch.size()) {
    text.replace(at, kName.size(), branch);
  }
  return text;
}

// Once a message is whole it stays what it is, whatever comes behind it.
void in_pieces(std::uint8_t manner, std::string_view octets) {
  const std::optional<std::size_t> whole = sip_message_size(octets);
  require(!whole || *whole <= octets.size());
  fuzz::Cuts cuts(manner);
  std::size_t came = 0;
  for (std::string_view left = octets; !left.empty();) {
    came += cuts.take(left).size();
    const auto size = sip_message_size(octets.substr(0, came));
    require(!size || (*size <= came && size == whole));
    require(size.has_value() == (whole && *whole <= came));
  }
  // Nothing behind it is read.
  if (whole) require(sip_message_size(octets.substr(0, *whole)) == whole);
}

std::string plain(const SipResponse& response) {
  return "SIP/2.0 " + std::to_string(response.status) + " " + response.reason +
         "\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK" + response.branch + "\r\nCSeq: 1 " +
         response.method + "\r\n\r\n";
}

void one_datagram(const SipQuestion& question, const std::string& branch, std::string_view octets) {
  const auto response = parse_sip_response(octets);
  const auto judgement = question.judge(octets);
  if (!response) return require(!judgement);
  require(response->status >= 100 && response->status <= 699);
  require(!response->branch.empty() && !response->method.empty());
  const auto again = parse_sip_response(plain(*response));
  require(again && again->status == response->status && again->reason == response->reason);
  require(again->branch == response->branch && again->method == response->method);

  const bool ours = response->branch == branch && response->method == "OPTIONS";
  require(judgement.has_value() == (ours && response->status >= 200));
  if (!judgement) return;
  require(judgement->empty() == (response->status < 300));
  for (const char c : *judgement) require((c < 0 || c >= ' ') && c != 0x7f);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  static const SipQuestion kQuestion{config::SipCheck{.target = here(), .status = {}}};
  static const std::string kBranch = branch_of(kQuestion);
  if (size == 0) return 0;
  const std::string text =
      with_branch({reinterpret_cast<const char*>(data + 1), size - 1}, kBranch);
  in_pieces(data[0], text);
  one_datagram(kQuestion, kBranch, text);
  return 0;
}
