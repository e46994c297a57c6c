#include "health/api/http_framing.h"

#include <algorithm>
#include <array>
#include <optional>

#include "config/base/address.h"
#include "config/base/ascii.h"
#include "config/base/octet_scan.h"

namespace sluice::health {
namespace {

using base::Done;
using base::Unexpected;
using Checked = base::Result<Done, HttpError>;

Unexpected<HttpError> refuse(int status, const char* detail) {
  return Unexpected{HttpError{status, detail}};
}

bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// RFC 9110 section 5.6.2.
constexpr std::array<bool, 256> kTokenOctets = [] {
  std::array<bool, 256> known{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    known[static_cast<unsigned char>(c)] = true;
  }
  return known;
}();

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return kTokenOctets[static_cast<unsigned char>(c)];
  });
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return (is_alpha(x) ? x | 0x20 : x) == (is_alpha(y) ? y | 0x20 : y);
  });
}

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Takes one line off `text`, without its CRLF.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  return line;
}

struct Framing {
  std::string_view absolute_host;  // of a target in absolute form
  bool version_1_1 = false;
  std::optional<std::string_view> host;
  std::optional<std::string_view> content_length;
  std::optional<std::string_view> transfer_encoding;
  std::optional<std::string_view> authorization;
  std::optional<std::string_view> expect;
};

Checked read_target(std::string_view target, std::string_view method, const HttpLimits& limits,
                    Framing& framing) {
  if (target.size() > limits.target) return refuse(414, "the target is too long");
  const bool visible = std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7f; });
  if (target.empty() || !visible || target.find('#') != std::string_view::npos) {
    return refuse(400, "the target is not a URI reference without fragment");
  }
  if (target.front() == '/' || (target == "*" && method == "OPTIONS")) return Done{};
  // RFC 9112 section 3.2.2: a server must accept the absolute form.
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    framing.absolute_host = target.substr(0, target.find_first_of("/?"));
    if (framing.absolute_host.empty()) break;
    return Done{};
  }
  return refuse(400, "the target must begin with /");
}

Checked read_request_line(std::string_view line, const HttpLimits& limits, Framing& framing) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return refuse(400, "the request line must be METHOD TARGET HTTP/1.1");
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method)) return refuse(400, "the method is not a token");
  if (version.size() != 8 || !version.starts_with("HTTP/") || !base::is_digit(version[5]) ||
      version[6] != '.' || !base::is_digit(version[7])) {
    return refuse(400, "the request line must be METHOD TARGET HTTP/1.1");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  }
  framing.version_1_1 = version == "HTTP/1.1";
  return read_target(line.substr(first + 1, last - first - 1), method, limits, framing);
}

Checked read_field(std::string_view line, Framing& framing) {
  if (line.front() == ' ' || line.front() == '\t') {
    return refuse(400, "a header field must not be folded over lines");
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return refuse(400, "a header field must be NAME: VALUE, without a blank before the colon");
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = without_blanks(line.substr(colon + 1));
  const std::array<std::pair<std::string_view, std::optional<std::string_view>*>, 5> once{{
      {"host", &framing.host},
      {"content-length", &framing.content_length},
      {"transfer-encoding", &framing.transfer_encoding},
      {"authorization", &framing.authorization},
      {"expect", &framing.expect},
  }};
  for (const auto& [known, slot] : once) {
    if (!equal_ignoring_case(name, known)) continue;
    if (slot->has_value()) return refuse(400, "a header field that may come once came twice");
    *slot = value;
  }
  return Done{};
}

Checked check_body_framing(const Framing& framing, const HttpLimits& limits) {
  if (framing.transfer_encoding) {
    if (framing.content_length) {
      return refuse(400, "Content-Length and Transfer-Encoding exclude each other");
    }
    if (!framing.version_1_1) return refuse(400, "HTTP/1.0 knows no Transfer-Encoding");
    if (!equal_ignoring_case(*framing.transfer_encoding, "chunked")) {
      return refuse(501, "the only transfer coding here is chunked");
    }
    return Done{};
  }
  if (!framing.content_length) return Done{};
  const std::string_view length = *framing.content_length;
  if (length.empty() || !std::ranges::all_of(length, base::is_digit)) {
    return refuse(400, "Content-Length must be digits alone");
  }
  // Ten digits hold the limit, and what has more is beyond it unless it begins with zeros.
  if (length.size() > 10 || std::stoull(std::string(length)) > limits.body) {
    return refuse(413, "the content is too large");
  }
  return Done{};
}

// HOST[:PORT] (RFC 9110 section 7.2), of names and addresses that are in use: a host that is empty
// is refused (section 4.2.1), escapes and sub-delims name none.
bool is_host(std::string_view text) {
  std::string_view host = text;
  std::string_view rest;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return false;
    rest = host.substr(end + 1);
    host = host.substr(1, end - 1);
    if (!base::IpAddress::parse(host) || host.find(':') == std::string_view::npos) return false;
  } else {
    const std::size_t end = std::min(host.find(':'), host.size());
    rest = host.substr(end);
    host = host.substr(0, end);
    const bool plain = std::ranges::all_of(host, [](char c) {
      return base::is_digit(c) || is_alpha(c) || c == '.' || c == '-' || c == '_';
    });
    if (host.empty() || !plain) return false;
  }
  if (rest.empty()) return true;
  constexpr std::size_t kMostDigits = 5;
  const std::string_view port = rest.substr(1);
  if (rest.front() != ':' || port.size() > kMostDigits ||
      !std::ranges::all_of(port, base::is_digit)) {
    return false;
  }
  return port.empty() || std::stoul(std::string(port)) <= 0xffff;
}

Checked check_host(const Framing& framing) {
  if (!framing.host) {
    if (framing.version_1_1) return refuse(400, "HTTP/1.1 wants a Host field");
    return Done{};
  }
  if (!is_host(*framing.host)) return refuse(400, "the Host field is not HOST[:PORT]");
  if (!framing.absolute_host.empty() &&
      !equal_ignoring_case(framing.absolute_host, *framing.host)) {
    return refuse(400, "the target names another host than the Host field");
  }
  return Done{};
}

}  // namespace

base::Result<Done, HttpError> check_octets(std::string_view octets) {
  const auto next_control = [&](std::size_t from) {
    return from + base::first_octet(octets.substr(from), [](std::uint64_t word) {
             return base::octet_below(word, 0x20) | base::octet_equal(word, 0x7f);
           });
  };
  for (std::size_t i = next_control(0); i < octets.size(); i = next_control(i + 1)) {
    const char c = octets[i];
    if (c == '\t') continue;
    if (c == '\n' && i > 0 && octets[i - 1] == '\r') continue;
    if (c == '\r' && (i + 1 == octets.size() || octets[i + 1] == '\n')) continue;
    return refuse(400, "lines end with CR LF, and have no other control characters");
  }
  return Done{};
}

base::Result<Done, HttpError> check_request_line(std::string_view line, const HttpLimits& limits) {
  Framing framing;
  return read_request_line(line, limits, framing);
}

base::Result<Done, HttpError> check_head(std::string_view head, const HttpLimits& limits) {
  auto checked = check_octets(head);
  if (!checked) return checked;
  Framing framing;
  checked = read_request_line(take_line(head), limits, framing);
  if (!checked) return checked;
  std::size_t fields = 0;
  for (std::string_view line = take_line(head); !line.empty(); line = take_line(head)) {
    if (++fields > limits.fields) return refuse(431, "too many header fields");
    checked = read_field(line, framing);
    if (!checked) return checked;
  }
  checked = check_host(framing);
  if (checked) checked = check_body_framing(framing, limits);
  if (checked && framing.expect && !equal_ignoring_case(*framing.expect, "100-continue")) {
    return refuse(417, "the only expectation here is 100-continue");
  }
  return checked;
}

}  // namespace sluice::health
