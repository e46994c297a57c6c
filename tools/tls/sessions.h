#pragma once

#include <curl/curl.h>

namespace sluice::tls {

// Lets the handle's TLS sessions be resumed by tickets (RFC 5077) in TLS 1.2, too, as TLS 1.3 does
// by itself. libcurl forbids them there and hopes for a server that remembers sessions, which an
// authority does not, nor any server that was started anew or has forgotten a connection that was
// cut.
void take_tickets(CURL* easy);

}  // namespace sluice::tls
