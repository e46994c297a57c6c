#pragma once

#include <string>

#include "config/model.h"
#include "dns/wire/cookie.h"

namespace sluice::dns {

// What the configuration says about answers whatever they are about, in the form in which respond()
// wants it. Immutable, part of each ServingSnapshot: a reload changes it between two batches.
struct ResponseSettings {
  // At most 255 octets each; empty: hidden.
  std::string identity;  // NSID (RFC 5001), CH TXT id.server (RFC 4892) and hostname.bind
  std::string version;   // CH TXT version.server and version.bind
  CookieSecrets cookies;
  bool cookies_required = false;  // over UDP, of clients that know cookies
  config::RateLimit rate_limit;
  bool stale = false;  // answers of pools say that they may be (RFC 8914, code 3)
};

// `random_secret` makes the cookies when none is configured: they hold until this process ends.
ResponseSettings make_response_settings(const config::Dns& dns, const SipKey& random_secret);

}  // namespace sluice::dns
