#pragma once

#include <string>
#include <string_view>

#include "config/base/result.h"

namespace sluice::config {

// HTTP URLs (RFC 3986, RFC 9110 section 4.2): "http://HOST[:PORT][/...]", HOST a DNS name, an IPv4
// address or an IPv6 address in brackets. No user, no fragment, visible ASCII alone. The error says
// what would be right.
using CheckedUrl = base::Result<std::string, std::string>;

// Any such URL, as it is; https too.
CheckedUrl check_web_url(std::string_view text);
// Plain HTTP alone: https is refused as not supported by this version yet.
CheckedUrl check_http_url(std::string_view text);
// Where an authority listens: no path and no query. Without a final slash.
CheckedUrl check_authority_url(std::string_view text);

}  // namespace sluice::config
