#pragma once

#include <memory>
#include <string>

#include <curl/curl.h>

namespace sluice::base {

// Owners of what libcurl hands out.
struct CurlFree {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using CurlEasy = std::unique_ptr<CURL, CurlFree>;
using CurlUrl = std::unique_ptr<CURLU, CurlFree>;
using CurlList = std::unique_ptr<curl_slist, CurlFree>;

// Once a process, by whoever comes first; it must come before any thread of libcurl's. Everything
// in this folder calls it by itself.
void initialise_curl();

// A handle for the requests of a daemon: HTTP/1.1 by http and https; no redirects, and no proxies
// of the environment, so that what is asked for, a token perhaps with it, goes to that server
// alone; no signals; TLS 1.2 at least, judged by files as they are now. Nothing in it waits for the
// resolver.
CurlEasy make_easy();

// The authorities in this PEM file, read with each connection, and no others.
void trust_only(CURL* easy, const std::string& ca);

// An IP socket that programs we start do not inherit, as libcurl's own ones are.
curl_socket_t open_uninherited(const curl_sockaddr& address);

}  // namespace sluice::base
