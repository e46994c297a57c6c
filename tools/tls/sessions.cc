#include "tools/tls/sessions.h"

#include <openssl/ssl.h>

namespace sluice::tls {

void take_tickets(CURL* easy) {
  const auto allow = [](CURL*, void* context, void*) -> CURLcode {
    SSL_CTX_clear_options(static_cast<SSL_CTX*>(context), SSL_OP_NO_TICKET);
    return CURLE_OK;
  };
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, +allow);
}

}  // namespace sluice::tls
