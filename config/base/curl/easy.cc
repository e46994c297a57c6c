#include "config/base/curl/easy.h"

#include <cassert>

#include <sys/socket.h>

namespace sluice::base {

void initialise_curl() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  assert(done == CURLE_OK);
  static_cast<void>(done);
}

CurlEasy make_easy() {
  initialise_curl();
  CurlEasy owner(curl_easy_init());
  assert(owner);  // fails for lack of memory alone
  CURL* const easy = owner.get();
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Without it the end of a request waits for getaddrinfo(), and the loop's thread with it.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // Otherwise a file of authorities that was replaced counts a day later.
  curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
  return owner;
}

void trust_only(CURL* easy, const std::string& ca) {
  curl_easy_setopt(easy, CURLOPT_CAINFO, ca.c_str());
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
}

curl_socket_t open_uninherited(const curl_sockaddr& address) {
  return socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
}

}  // namespace sluice::base
