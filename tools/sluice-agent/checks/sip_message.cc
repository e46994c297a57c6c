#include "tools/sluice-agent/checks/sip_message.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace sluice::agent {
namespace {

constexpr std::string_view kSipVersion = "SIP/2.0";
// Each branch of RFC 3261 starts with it (section 8.1.1.7).
constexpr std::string_view kMagic = "z9hG4bK";
constexpr std::string_view kSipBlanks = " \t\r\n";

std::string host_port(const base::SocketAddress& address) {
  const std::string host = address.address.to_string();
  return (address.address.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(address.port);
}

std::string_view trim(std::string_view text) {
  const auto from = text.find_first_not_of(kSipBlanks);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kSipBlanks) - from + 1);
}

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

struct Head {
  std::vector<std::string_view> lines;  // folded ones stay one line
  std::size_t size = 0;                 // with the empty line that ends it
};

// Nothing: there is no empty line yet.
std::optional<Head> read_head(std::string_view octets) {
  Head head;
  std::size_t start = 0;
  for (std::size_t at = 0; (at = octets.find('\n', at)) != std::string_view::npos; ++at) {
    const std::string_view line = trim(octets.substr(start, at - start));
    if (line.empty()) {
      // What stands behind it is the body's, a blank too.
      head.size = at + 1;
      return head;
    }
    const bool folded = at + 1 < octets.size() && (octets[at + 1] == ' ' || octets[at + 1] == '\t');
    if (folded) continue;
    head.lines.push_back(line);
    start = at + 1;
  }
  return {};
}

// The value of the first header of that name.
std::string_view header(const std::vector<std::string_view>& lines, std::string_view name,
                        std::string_view compact) {
  for (const std::string_view line : lines) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view found = trim(line.substr(0, colon));
    if (same_word(found, name) || (!compact.empty() && same_word(found, compact))) {
      return trim(line.substr(colon + 1));
    }
  }
  return {};
}

// The parameter "branch" of the topmost Via, which may share its line with others.
std::string_view branch_of(std::string_view via) {
  via = via.substr(0, via.find(','));
  while (true) {
    const auto semicolon = via.find(';');
    if (semicolon == std::string_view::npos) return {};
    via.remove_prefix(semicolon + 1);
    const std::string_view parameter = via.substr(0, via.find(';'));
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos) continue;
    if (!same_word(trim(parameter.substr(0, equals)), "branch")) continue;
    std::string_view branch = trim(parameter.substr(equals + 1));
    if (branch.starts_with(kMagic)) branch.remove_prefix(kMagic.size());
    return branch;
  }
}

}  // namespace

std::string sip_options(const base::SocketAddress& target, const base::SocketAddress& local,
                        config::SipCheck::Transport transport, const SipIdentity& identity) {
  const std::string to = host_port(target);
  const std::string from = host_port(local);
  const std::string by = transport == config::SipCheck::Transport::Tcp ? "TCP" : "UDP";
  const std::string parameter = by == "TCP" ? ";transport=tcp" : "";
  return "OPTIONS sip:" + to + parameter +
         " SIP/2.0\r\n"
         "Via: SIP/2.0/" +
         by + " " + from + ";branch=" + std::string(kMagic) + identity.branch +
         ";rport\r\n"
         "Max-Forwards: 70\r\n"  // what section 8.1.1.6 recommends
         "To: <sip:" +
         to + parameter +
         ">\r\n"
         "From: <sip:sluice-agent@" +
         from + ">;tag=" + identity.tag +
         "\r\n"
         "Call-ID: " +
         identity.call_id +
         "\r\n"
         "CSeq: 1 OPTIONS\r\n"
         "Contact: <sip:sluice-agent@" +
         from + parameter +
         ">\r\n"
         "Accept: application/sdp\r\n"
         "User-Agent: sluice-agent/" SLUICE_VERSION
         "\r\n"
         "Content-Length: 0\r\n\r\n";
}

std::optional<SipResponse> parse_sip_response(std::string_view octets) {
  octets.remove_prefix(std::min(octets.find_first_not_of("\r\n"), octets.size()));
  const auto head = read_head(octets);
  if (!head || head->lines.empty()) return {};
  std::string_view status_line = head->lines.front();
  if (!same_word(status_line.substr(0, kSipVersion.size()), kSipVersion)) return {};
  status_line = trim(status_line.substr(kSipVersion.size()));
  const auto status = number(status_line.substr(0, 3));
  if (!status || *status < 100 || *status > 699) return {};
  SipResponse response;
  response.status = static_cast<unsigned>(*status);
  response.reason = trim(status_line.substr(3));
  response.branch = branch_of(header(head->lines, "Via", "v"));
  const std::string_view cseq = header(head->lines, "CSeq", "");
  response.method = trim(cseq.substr(std::min(cseq.find_first_of(" \t"), cseq.size())));
  if (response.branch.empty() || response.method.empty()) return {};
  return response;
}

std::optional<std::size_t> sip_message_size(std::string_view stream) {
  const std::size_t blank = std::min(stream.find_first_not_of("\r\n"), stream.size());
  const std::string_view message = stream.substr(blank);
  const auto head = read_head(message);
  if (!head || head->lines.empty()) return {};
  const std::string_view length = header(head->lines, "Content-Length", "l");
  // Over a stream it is mandatory (section 18.3); who leaves it out has no body.
  const std::size_t body = length.empty() ? 0 : number(length).value_or(0);
  if (message.size() - head->size < body) return {};
  return blank + head->size + body;
}

}  // namespace sluice::agent
