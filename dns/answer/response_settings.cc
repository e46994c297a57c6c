#include "dns/answer/response_settings.h"

#include <cassert>

namespace sluice::dns {

ResponseSettings make_response_settings(const config::Dns& dns, const SipKey& random_secret) {
  ResponseSettings settings;
  if (!dns.hide_identity) settings.identity = dns.identity;
  settings.version = dns.version;
  settings.cookies_required = dns.cookies.required;
  settings.rate_limit = dns.rate_limit;
  if (!dns.cookies.enabled) return settings;
  assert(dns.cookies.secrets.size() <= CookieSecrets::kMost);
  for (const SipKey& secret : dns.cookies.secrets) {
    settings.cookies.keys[settings.cookies.count++] = secret;
  }
  if (settings.cookies.count == 0) settings.cookies.keys[settings.cookies.count++] = random_secret;
  return settings;
}

}  // namespace sluice::dns
