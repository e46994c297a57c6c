#include "tools/sluicectl/api/endpoint.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/base/file_descriptor.h"

namespace sluice::ctl {
namespace {

constexpr const char* kDefaultSocket = "/run/sluice/sluice.sock";
constexpr const char* kDefaultUrl = "http://127.0.0.1:8053";

using Checked = base::Result<Endpoint, std::string>;

Checked socket_endpoint(const std::string& path) {
  // The kernel's limit, with room for the octet that ends it.
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return base::Unexpected{"the socket's path is longer than " +
                            std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " octets: " + path};
  }
  return Endpoint{Endpoint::Kind::Socket, path};
}

struct UrlFree {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};

bool has_part(CURLU* url, CURLUPart part) {
  char* value = nullptr;
  const bool found = curl_url_get(url, part, &value, 0) == CURLUE_OK;
  curl_free(value);
  return found;
}

Checked url_endpoint(std::string text) {
  const std::unique_ptr<CURLU, UrlFree> url(curl_url());
  const bool scheme = text.starts_with("http://") || text.starts_with("https://");
  if (!scheme || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return base::Unexpected{"'" + text + "' is no URL of an authority, such as " + kDefaultUrl};
  }
  // A password or token here would be seen in the list of processes and sent where it must not.
  if (has_part(url.get(), CURLUPART_USER) || has_part(url.get(), CURLUPART_QUERY) ||
      has_part(url.get(), CURLUPART_FRAGMENT)) {
    return base::Unexpected{
        "the URL of an authority is http(s)://HOST[:PORT], without user, query"
        " or fragment: tokens come from --token-file"};
  }
  while (text.ends_with('/')) text.pop_back();
  return Endpoint{Endpoint::Kind::Url, std::move(text)};
}

}  // namespace

base::Result<std::vector<Endpoint>, std::string> endpoints_of(const Connection& given,
                                                              const Connection& environment) {
  const Connection& chosen = given.api.empty() && given.socket.empty() ? environment : given;
  if (chosen.socket.empty() && chosen.api.empty()) {
    return std::vector<Endpoint>{{Endpoint::Kind::Socket, kDefaultSocket},
                                 {Endpoint::Kind::Url, kDefaultUrl}};
  }
  auto endpoint = chosen.socket.empty() ? url_endpoint(chosen.api) : socket_endpoint(chosen.socket);
  if (!endpoint) return base::Unexpected{std::move(endpoint).error()};
  return std::vector<Endpoint>{*std::move(endpoint)};
}

base::Result<std::string, std::string> read_token(const std::string& file) {
  // Tokens of ours have 64 octets; this leaves room for those of others.
  std::array<char, 4096> octets{};
  const base::FileDescriptor opened(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  const ssize_t size = opened.get() < 0 ? -1 : read(opened.get(), octets.data(), octets.size());
  if (size < 0) {
    return base::Unexpected{"the token file " + file + " cannot be read: " + std::strerror(errno)};
  }
  std::string_view token(octets.data(), static_cast<std::size_t>(size));
  const bool whole = token.size() < octets.size();
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.remove_suffix(1);
  const auto visible = [](char octet) { return octet > ' ' && octet <= '~'; };
  if (!whole || token.empty() || !std::ranges::all_of(token, visible)) {
    return base::Unexpected{"the token file " + file +
                            " does not hold a token: one line, no blanks"};
  }
  return std::string(token);
}

}  // namespace sluice::ctl
