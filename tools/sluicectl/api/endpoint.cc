#include "tools/sluicectl/api/endpoint.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <sstream>

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/base/curl/easy.h"
#include "config/base/file_descriptor.h"
#include "config/url.h"

namespace sluice::ctl {
namespace {

constexpr const char* kDefaultSocket = "/run/sluice/sluice.sock";
constexpr const char* kDefaultUrl = "http://127.0.0.1:8053";

using CheckedEndpoint = base::Result<Endpoint, std::string>;

CheckedEndpoint socket_endpoint(const std::string& path) {
  // The kernel's limit, with room for the octet that ends it.
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return base::Unexpected{"the socket's path is longer than " +
                            std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " octets: " + path};
  }
  return Endpoint{Endpoint::Kind::Socket, path};
}

bool has_part(CURLU* url, CURLUPart part) {
  char* value = nullptr;
  const bool found = curl_url_get(url, part, &value, 0) == CURLUE_OK;
  curl_free(value);
  return found;
}

CheckedEndpoint url_endpoint(std::string text) {
  const base::CurlUrl url(curl_url());
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
  if (!chosen.socket.empty()) {
    auto endpoint = socket_endpoint(chosen.socket);
    if (!endpoint) return base::Unexpected{std::move(endpoint).error()};
    return std::vector<Endpoint>{*std::move(endpoint)};
  }
  std::vector<Endpoint> endpoints;
  std::istringstream urls(chosen.api);
  for (std::string url; urls >> url;) {
    auto endpoint = url_endpoint(std::move(url));
    if (!endpoint) return base::Unexpected{std::move(endpoint).error()};
    const bool twice = std::ranges::find(endpoints, *endpoint) != endpoints.end();
    if (!twice) endpoints.push_back(*std::move(endpoint));
  }
  if (endpoints.empty()) return base::Unexpected{url_endpoint(chosen.api).error()};
  return endpoints;
}

base::Result<tls::Files, std::string> tls_files_of(const Connection& given,
                                                   const Connection& environment,
                                                   const std::vector<Endpoint>& endpoints) {
  const bool https = std::ranges::any_of(
      endpoints, [](const Endpoint& endpoint) { return endpoint.where.starts_with("https://"); });
  const bool typed = !given.ca.empty() || !given.certificate.empty() || !given.key.empty();
  if (!https) {
    // What the environment has is for another endpoint then.
    if (!typed) return tls::Files{};
    return base::Unexpected{std::string(
        "--ca, --certificate and --key are for an authority at https://: --api or SLUICE_API")};
  }
  // A certificate and its key come from one place.
  const bool own = !given.certificate.empty() || !given.key.empty();
  tls::Files files{.certificate = own ? given.certificate : environment.certificate,
                   .key = own ? given.key : environment.key,
                   .ca = given.ca.empty() ? environment.ca : given.ca};
  if (files.certificate.empty() == files.key.empty()) return files;
  const bool lacks_key = files.key.empty();
  if (own) {
    return base::Unexpected{std::string(lacks_key ? "--certificate needs --key, the file of its key"
                                                  : "--key needs --certificate")};
  }
  return base::Unexpected{std::string(lacks_key ? "SLUICE_CERTIFICATE needs SLUICE_KEY"
                                                : "SLUICE_KEY needs SLUICE_CERTIFICATE")};
}

bool travels_in_the_clear(const Endpoint& endpoint) {
  return endpoint.kind == Endpoint::Kind::Url && config::travels_in_the_clear(endpoint.where);
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
