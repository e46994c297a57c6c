#include "config/url.h"

#include <algorithm>
#include <charconv>

#include "config/base/address.h"
#include "config/names.h"

namespace sluice::config {
namespace {

constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";
constexpr std::size_t kMaxUrl = 2000;  // far more than any host and path that is meant

base::Unexpected<std::string> wrong(std::string_view text, std::string_view what) {
  return base::Unexpected{std::string(what) + ", is " + printable(text)};
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), port);
  return status == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

// What an HTTP client takes for an IPv4 address in an odd form ("127.1", "0x7f.0.0.1"), and a
// resolver for a name: no top-level domain is a number (RFC 3696 section 2).
bool ends_in_number(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string_view label = host.substr(host.rfind('.') + 1);
  const bool hexadecimal = label.starts_with("0x") || label.starts_with("0X");
  if (hexadecimal) label.remove_prefix(2);
  return (hexadecimal || !label.empty()) && std::all_of(label.begin(), label.end(), [&](char c) {
           return (c >= '0' && c <= '9') ||
                  (hexadecimal && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
         });
}

// HOST[:PORT]
bool is_host(std::string_view text) {
  std::string_view port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return false;
    const auto address = base::IpAddress::parse(text.substr(1, close - 1));
    if (!address || address->is_v4()) return false;
    port = text.substr(close + 1);
  } else {
    const auto colon = text.find(':');
    const std::string_view host = text.substr(0, colon);
    if (!base::IpAddress::parse(host) && (!check_dns_name(host) || ends_in_number(host))) {
      return false;
    }
    if (colon != std::string_view::npos) port = text.substr(colon);
  }
  return port.empty() || (port.front() == ':' && is_port(port.substr(1)));
}

}  // namespace

CheckedUrl check_web_url(std::string_view text) {
  const std::string_view scheme = text.starts_with(kHttps) ? kHttps : kHttp;
  const bool visible =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!text.starts_with(scheme) || !visible || text.size() > kMaxUrl ||
      text.find('#') != std::string_view::npos) {
    return wrong(text, "must be a URL such as http://127.0.0.1:8053");
  }
  const std::string_view rest = text.substr(scheme.size());
  // Not shown: there may be a password in front of the "@".
  if (rest.substr(0, rest.find_first_of("/?")).find('@') != std::string_view::npos) {
    return base::Unexpected{std::string("must be http://HOST:PORT without a user")};
  }
  if (!is_host(rest.substr(0, rest.find_first_of("/?")))) {
    return wrong(text,
                 "must be http://HOST:PORT with a name, an IPv4 address or [an IPv6 address]");
  }
  return std::string(text);
}

CheckedUrl check_authority_url(std::string_view text) {
  auto url = check_web_url(text);
  if (!url) return url;
  if (url->ends_with('/')) url->pop_back();
  if (url->find_first_of("/?", url->find("//") + 2) != std::string::npos) {
    return wrong(text, "must be https://HOST:PORT or http://HOST:PORT without a path");
  }
  return url;
}

bool travels_in_the_clear(std::string_view url) {
  if (!url.starts_with(kHttp)) return false;
  std::string_view host = url.substr(kHttp.size());
  host = host.substr(0, host.find_first_of("/?"));
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  const auto address = base::IpAddress::parse(host);
  return address ? !address->is_loopback() : host != "localhost";
}

}  // namespace sluice::config
