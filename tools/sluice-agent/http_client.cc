#include "tools/sluice-agent/http_client.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <string_view>
#include <utility>

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/base/curl/curl_loop.h"
#include "config/base/curl/easy.h"
#include "tools/tls/failure.h"
#include "tools/tls/sessions.h"

namespace sluice::agent {
namespace {

// Authorities are few; one connection to each is kept.
constexpr long kMostConnections = 8;

// Empty when the URL has none; of the port, its scheme's own.
std::string part(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

}  // namespace

class HttpClient::Transfer {
 public:
  explicit Transfer(uv_loop_t* loop);
  ~Transfer();

  void start(HttpRequest request, Done done);
  bool busy() const noexcept { return done_ != nullptr; }
  std::vector<base::SocketAddress> local_ends() const;

 private:
  static std::size_t on_body(char* octets, std::size_t, std::size_t count, void* self);
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address);
  static int close_socket(void* self, curl_socket_t fd);
  void set_method();
  void set_url();
  void set_trust();
  void set_material();
  void set_fixed_options();
  void on_turn();
  void finish(CURLcode result);
  std::string failure(CURLcode result) const;
  bool framed() const;

  std::vector<curl_socket_t> sockets_;  // those that are open
  base::CurlList headers_;
  base::CurlList connect_to_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  HttpRequest request_;
  std::size_t received_ = 0;  // octets of the body
  HttpAnswer answer_;
  Done done_;
  // Last, so that they go first: the handle points into the others, and closing still calls back.
  base::CurlLoop curl_;
  base::CurlEasy easy_ = base::make_easy();
};

HttpClient::Transfer::Transfer(uv_loop_t* loop)
    : curl_(loop, kMostConnections, [this] { on_turn(); }) {
  set_fixed_options();
}

HttpClient::Transfer::~Transfer() {
  if (busy()) curl_.remove(easy_.get());
}

void HttpClient::Transfer::set_fixed_options() {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Transfer::open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &Transfer::close_socket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_.data());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "sluice-agent/" SLUICE_VERSION);
  curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L);  // whose certificate it was, for messages
  tls::take_tickets(easy);
}

void HttpClient::Transfer::set_method() {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY,
                   request_.method == HttpRequest::Method::Connect ? 1L : 0L);
  if (request_.method != HttpRequest::Method::Put) {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    return;
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PUT");
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(request_.body.size()));
}

void HttpClient::Transfer::set_url() {
  CURL* const easy = easy_.get();
  const base::CurlUrl url(curl_url());
  curl_url_set(url.get(), CURLUPART_URL, request_.url.c_str(), 0);
  curl_slist* list = nullptr;
  if (!request_.name.empty()) {
    const std::string host = part(url.get(), CURLUPART_HOST);
    list =
        curl_slist_append(nullptr, ("::" + host + ":" + part(url.get(), CURLUPART_PORT)).c_str());
    curl_url_set(url.get(), CURLUPART_HOST, request_.name.c_str(), 0);
  }
  curl_easy_setopt(easy, CURLOPT_URL, part(url.get(), CURLUPART_URL).c_str());
  curl_easy_setopt(easy, CURLOPT_CONNECT_TO, list);
  connect_to_.reset(list);
}

void HttpClient::Transfer::set_trust() {
  CURL* const easy = easy_.get();
  const bool any = request_.trust && request_.trust->ca.empty();
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, any ? 0L : 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, any ? 0L : 2L);
  if (request_.trust && !any) base::trust_only(easy, request_.trust->ca);
  if (request_.material) set_material();
}

// As octets, not as files: libcurl neither resumes a session nor keeps a connection that was made
// with others (Curl_ssl_config_matches), so that what has been renewed counts from the next request
// on. The texts live as long as request_.
void HttpClient::Transfer::set_material() {
  const auto set = [this](CURLoption option, const std::string& text) {
    // libcurl does not write to it.
    curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
    curl_easy_setopt(easy_.get(), option, text.empty() ? nullptr : &blob);
  };
  set(CURLOPT_SSLCERT_BLOB, request_.material->certificate);
  set(CURLOPT_SSLKEY_BLOB, request_.material->key);
  set(CURLOPT_CAINFO_BLOB, request_.material->ca);
  if (!request_.material->ca.empty()) curl_easy_setopt(easy_.get(), CURLOPT_CAPATH, nullptr);
}

void HttpClient::Transfer::start(HttpRequest request, Done done) {
  assert(!busy());
  request_ = std::move(request);
  done_ = std::move(done);
  answer_ = {};
  received_ = 0;
  error_.front() = '\0';
  curl_slist* list = nullptr;
  for (const std::string& header : request_.headers) list = curl_slist_append(list, header.c_str());
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
  headers_.reset(list);  // the former one, which was in use until now
  set_method();
  set_url();
  set_trust();
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE,
                   request_.afterwards == HttpRequest::Afterwards::Close ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request_.limit.count()));
  curl_.add(easy);
}

std::vector<base::SocketAddress> HttpClient::Transfer::local_ends() const {
  std::vector<base::SocketAddress> ends;
  for (const curl_socket_t fd : sockets_) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    auto* const address = reinterpret_cast<sockaddr*>(&storage);
    if (getsockname(fd, address, &length) != 0) continue;
    if (const auto end = base::SocketAddress::from(address)) ends.push_back(*end);
  }
  return ends;
}

// Hooks and checks that inherited a connection would hold it open.
curl_socket_t HttpClient::Transfer::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  const curl_socket_t fd = base::open_uninherited(*address);
  if (fd >= 0) static_cast<Transfer*>(self)->sockets_.push_back(fd);
  return fd;
}

int HttpClient::Transfer::close_socket(void* self, curl_socket_t fd) {
  std::erase(static_cast<Transfer*>(self)->sockets_, fd);
  return close(fd);
}

std::size_t HttpClient::Transfer::on_body(char* octets, std::size_t, std::size_t count,
                                          void* self) {
  Transfer& mine = *static_cast<Transfer*>(self);
  mine.received_ += count;
  if (mine.received_ > mine.request_.max_body) return 0;  // ends the transfer
  if (mine.request_.take) {
    mine.request_.take({octets, count});
  } else {
    mine.answer_.body.append(octets, count);
  }
  return count;
}

void HttpClient::Transfer::on_turn() {
  // There is one transfer; `this` may be gone behind it.
  if (const auto ended = curl_.next_ended()) finish(ended->result);
}

bool HttpClient::Transfer::framed() const {
  curl_off_t length = -1;
  curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  curl_header* coding = nullptr;  // of HTTP/1.1 there is one that ends by itself: chunked
  return length >= 0 || curl_easy_header(easy_.get(), "Transfer-Encoding", 0, CURLH_HEADER, -1,
                                         &coding) == CURLHE_OK;
}

std::string HttpClient::Transfer::failure(CURLcode result) const {
  std::string words = error_.front() == '\0' ? curl_easy_strerror(result) : error_.data();
  tls::Failed failed = tls::failed(easy_.get(), result, words, request_.url);
  failed.name = request_.name;
  const tls::Material* const material = request_.material.get();
  failed.certificate_shown = material != nullptr && !material->certificate.empty();
  failed.ca_given = material != nullptr ? !material->ca.empty() : request_.trust.has_value();
  const tls::OptionNames names = material != nullptr ? tls::OptionNames{"tls.ca", "tls.certificate"}
                                                     : tls::OptionNames{"ca", "certificate"};
  const tls::Explanation why = tls::explain(failed, names);
  if (why.reason == tls::Reason::Other) return words;
  return why.reason == tls::Reason::Silent ? words + "; " + why.text : why.text;
}

void HttpClient::Transfer::finish(CURLcode result) {
  const Done done = std::exchange(done_, nullptr);
  if (received_ > request_.max_body) {
    done(base::failure("the answer is larger than " + std::to_string(request_.max_body) +
                       " octets"));
    return;
  }
  if (result != CURLE_OK) {
    done(base::failure(failure(result)));
    return;
  }
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &answer_.status);
  answer_.framed = framed();
  done(std::exchange(answer_, {}));
}

HttpClient::HttpClient(uv_loop_t* loop) : transfer_(std::make_unique<Transfer>(loop)) {}

HttpClient::~HttpClient() = default;

void HttpClient::start(HttpRequest request, Done done) {
  transfer_->start(std::move(request), std::move(done));
}

bool HttpClient::busy() const noexcept {
  return transfer_->busy();
}

std::vector<base::SocketAddress> HttpClient::local_ends() const {
  return transfer_->local_ends();
}

}  // namespace sluice::agent
