#include "dns/answer/option_reply.h"

#include <algorithm>
#include <cassert>

#include "config/base/address.h"

namespace sluice::dns {

OptionReply::OptionReply(const ResponseSettings& settings, const QueryContext& context,
                         const Query& query, std::span<const std::uint8_t> octets,
                         std::size_t room) noexcept {
  const EdnsOptions& asked = query.edns->options;
  const bool tcp = context.transport == Transport::Tcp;
  // Over UDP a keepalive means nothing, whatever is in it (RFC 7828 section 3.2.1).
  if (asked.has(EdnsOptions::kMalformed) || (tcp && asked.has(EdnsOptions::kKeepaliveTimeout))) {
    conclusion_ = Rcode::FormErr;
    return;
  }
  // Without a question it is about the cookie alone (RFC 7873 section 5.4).
  const bool bare = query.question_octets == 0;
  if (bare) conclusion_ = settings.cookies.count > 0 ? Rcode::NoError : Rcode::FormErr;
  if (asked.has(EdnsOptions::kCookie)) {
    add_cookie(settings, context, octets.subspan(asked.cookie_at, asked.cookie_octets));
  }
  if (asked.has(EdnsOptions::kClientSubnet)) {
    // Its scope is zero in the query already: the answer is the same for everybody (RFC 7871
    // section 7.2.1).
    add(OptionCode::ClientSubnet, octets.subspan(asked.subnet_at, asked.subnet_octets));
  }
  if (tcp && asked.has(EdnsOptions::kKeepalive)) {
    store_u16(start(OptionCode::TcpKeepalive, kKeepaliveOctets), context.tcp_idle);
  }
  const std::size_t fixed = kHeaderOctets + query.question_octets + kOptOctets + kOptionOctets;
  if (asked.has(EdnsOptions::kNsid) && !settings.identity.empty() &&
      fixed + size_ + settings.identity.size() <= room) {
    const std::string& identity = settings.identity;
    std::ranges::copy(identity, start(OptionCode::Nsid, identity.size()));
  }
}

// RFC 7873 section 5.2: the answer has a cookie that the client may use from now on.
void OptionReply::add_cookie(const ResponseSettings& settings, const QueryContext& context,
                             std::span<const std::uint8_t> cookie) noexcept {
  if (settings.cookies.count == 0) return;  // as if we did not know the option
  const std::span<const std::uint8_t> client = base::address_octets(context.client);
  const CookieCheck check = check_cookie(settings.cookies, cookie, client, context.now);
  client_known_ = check != CookieCheck::Bad;
  if (check == CookieCheck::Fresh) {
    add(OptionCode::Cookie, cookie);
  } else {
    std::uint8_t* at = start(OptionCode::Cookie, kCookieOctets);
    write_cookie(at, settings.cookies, cookie, client, context.now);
  }
  if (client_known_) return;
  // Whoever asks by TCP has shown its address (RFC 7873 section 5.2.3).
  const bool required = settings.cookies_required && context.transport == Transport::Udp;
  const bool sent_one = cookie.size() > kClientCookieOctets;
  if (conclusion_ ? sent_one : required) conclusion_ = Rcode::BadCookie;
}

void OptionReply::add(OptionCode code, std::span<const std::uint8_t> data) noexcept {
  std::ranges::copy(data, start(code, data.size()));
}

std::uint8_t* OptionReply::start(OptionCode code, std::size_t size) noexcept {
  assert(size_ + kOptionOctets + size <= options_.size());
  std::uint8_t* at = options_.data() + size_;
  write_option(at, code, size);
  size_ += kOptionOctets + size;
  return at + kOptionOctets;
}

}  // namespace sluice::dns
