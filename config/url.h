#pragma once

#include <string>
#include <string_view>

#include "config/base/result.h"

namespace sluice::config {

// Plain-HTTP URLs (RFC 3986, RFC 9110 section 4.2.1): "http://HOST[:PORT][/...]", HOST a DNS name,
// an IPv4 address or an IPv6 address in brackets. No user, no fragment, visible ASCII alone. The
// error says what would be right; https is refused as not supported by this version yet.
using CheckedUrl = base::Result<std::string, std::string>;

// Any such URL, as it is.
CheckedUrl check_http_url(std::string_view text);
// Where an authority listens: no path and no query. Without a final slash.
CheckedUrl check_authority_url(std::string_view text);

}  // namespace sluice::config
