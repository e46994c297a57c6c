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
// Where an authority listens, by either scheme: no path and no query. Without a final slash.
CheckedUrl check_authority_url(std::string_view text);

// Of a checked URL: whether who reads along on a network sees what is said. A name other than
// localhost may be anywhere.
bool travels_in_the_clear(std::string_view url);

}  // namespace sluice::config
