// A URL of the configuration or the command line -> itself, or what would be right. Whatever we
// accept, libcurl, which follows it, reads too: the same scheme, no user, and a host that is there.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "config/url.h"
#include "tests/fuzz/require.h"

namespace {

using namespace sluice;

struct CurlFree {
  void operator()(char* text) const noexcept { curl_free(text); }
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  return std::unique_ptr<char, CurlFree>(text).get();
}

void require_followed(const std::string& text) {
  const std::unique_ptr<CURLU, CurlFree> url(curl_url());
  fuzz::require(curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK);
  const std::string scheme = part(url.get(), CURLUPART_SCHEME);
  fuzz::require(text.starts_with(scheme + "://") && (scheme == "http" || scheme == "https"));
  fuzz::require(part(url.get(), CURLUPART_USER).empty());
  fuzz::require(part(url.get(), CURLUPART_FRAGMENT).empty());
  const std::string host = part(url.get(), CURLUPART_HOST);
  const std::string authority = text.substr(
      scheme.size() + 3, text.find_first_of("/?", scheme.size() + 3) - scheme.size() - 3);
  fuzz::require(!host.empty() && authority.starts_with(host.substr(0, 1)));
  const std::string port = part(url.get(), CURLUPART_PORT);
  fuzz::require(port.empty() || authority.ends_with(":" + port) ||
                authority.find(':') != authority.npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& checked : {config::check_web_url(text), config::check_authority_url(text)}) {
    if (checked) {
      require_followed(*checked);
      continue;
    }
    fuzz::require(!checked.error().empty());
    for (const char c : checked.error()) fuzz::require((c < 0 || c >= ' ') && c != 0x7f);
  }
  return 0;
}
