#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/agent_model.h"
#include "config/base/address.h"

// What of SIP (RFC 3261) a check needs: one request, and who answers it. Pure.
namespace sluice::agent {

// What tells the answers to one request from all others (RFC 3261 section 17.1.3): made anew for
// each, of letters and digits.
struct SipIdentity {
  std::string branch;  // without the magic cookie
  std::string call_id;
  std::string tag;
};

// OPTIONS for the element that listens at `target` (RFC 3261 section 11.1), from `local`.
std::string sip_options(const base::SocketAddress& target, const base::SocketAddress& local,
                        config::SipCheck::Transport transport, const SipIdentity& identity);

struct SipResponse {
  unsigned status = 0;  // 100..699
  std::string reason;   // of the status line; foreign text
  std::string branch;   // of the topmost Via, without the magic cookie
  std::string method;   // of CSeq
};

// Reads the head of one response, up to the empty line. Nothing: no response, or one that lacks
// what is read here. Any octets are accepted. Header names may be in any case or in their compact
// form, lines may be folded (section 7.3.1).
std::optional<SipResponse> parse_sip_response(std::string_view octets);

// The octets of the first message of a stream, its body by Content-Length included (section 18.3);
// nothing while it is not whole. Blank lines before it are keep-alives and part of it.
std::optional<std::size_t> sip_message_size(std::string_view stream);

}  // namespace sluice::agent
