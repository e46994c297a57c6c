#include "tools/sluicectl/api/client.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include <curl/curl.h>

#include "tools/sluicectl/render/duration_words.h"
#include "tools/sluicectl/render/text.h"

namespace sluice::ctl {
namespace {

// A connection takes milliseconds; five seconds allow for two lost SYNs (RFC 6298: 1 s, then 2 s).
constexpr long kConnectSeconds = 5;
// The state of some 100,000 services.
constexpr std::size_t kLargestAnswer = std::size_t{64} << 20;

struct SlistFree {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using Slist = std::unique_ptr<curl_slist, SlistFree>;

void append(Slist& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  assert(longer != nullptr);
  static_cast<void>(list.release());
  list.reset(longer);
}

std::size_t take_octets(char* octets, std::size_t, std::size_t size, void* answer) {
  auto& text = *static_cast<std::string*>(answer);
  if (text.size() + size > kLargestAnswer) return 0;  // breaks off with CURLE_WRITE_ERROR
  text.append(octets, size);
  return size;
}

int ask_interrupted(void* settings, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& interrupted = static_cast<Client::Settings*>(settings)->interrupted;
  return interrupted && interrupted() ? 1 : 0;
}

std::string name_of(const Endpoint& endpoint) {
  return printable(endpoint.where);
}

}  // namespace

struct Client::Curl {
  CURL* handle = nullptr;
  char words[CURL_ERROR_SIZE] = {};

  Curl() {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    handle = curl_easy_init();
    assert(handle != nullptr);
  }
  ~Curl() {
    curl_easy_cleanup(handle);
    curl_global_cleanup();
  }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  template <class T>
  void set(CURLoption option, T value) {
    const CURLcode code = curl_easy_setopt(handle, option, value);
    assert(code == CURLE_OK);
    static_cast<void>(code);
  }
};

Client::Client(Settings settings)
    : settings_(std::move(settings)), curl_(std::make_unique<Curl>()) {
  assert(!settings_.endpoints.empty());
}

Client::~Client() = default;

base::Result<Answer, ApiError> Client::send(const Request& request) {
  std::string tried;
  while (true) {
    auto answer = send_to(settings_.endpoints.front(), request);
    if (answer || answer.error().kind != ApiError::Kind::Unreachable) {
      // From now on this one, whoever else may listen: no command speaks to two authorities.
      settings_.endpoints.resize(1);
      return answer;
    }
    tried += (tried.empty() ? "" : " or ") + answer.error().message;
    if (settings_.endpoints.size() == 1) {
      ApiError error = std::move(answer).error();
      error.message = "no authority answers at " + tried +
                      "; is sluiced running?\n--api or SLUICE_API, --socket or SLUICE_SOCKET says"
                      " where it listens.";
      return base::Unexpected{std::move(error)};
    }
    settings_.endpoints.erase(settings_.endpoints.begin());
  }
}

base::Result<Answer, ApiError> Client::send_to(const Endpoint& endpoint, const Request& request) {
  const bool by_socket = endpoint.kind == Endpoint::Kind::Socket;
  // On the socket the file's permissions decide, and a token would only name somebody else.
  if (!by_socket && token_.empty() && !settings_.token_file.empty()) {
    auto token = read_token(settings_.token_file);
    if (!token) {
      return base::Unexpected{
          ApiError{ApiError::Kind::NotAllowed, std::move(token).error(), 0, {}, {}}};
    }
    token_ = *std::move(token);
  }
  Slist headers;
  append(headers, "Accept: application/json, application/problem+json");
  if (request.method == Request::Method::Post) append(headers, "Content-Type: application/json");
  if (!by_socket && !token_.empty()) append(headers, "Authorization: Bearer " + token_);
  const std::string url = (by_socket ? "http://localhost" : endpoint.where) + request.path;

  std::string octets;
  prepare(url, request);
  curl_->set(CURLOPT_UNIX_SOCKET_PATH, by_socket ? endpoint.where.c_str() : nullptr);
  curl_->set(CURLOPT_HTTPHEADER, headers.get());
  curl_->set(CURLOPT_WRITEFUNCTION, take_octets);
  curl_->set(CURLOPT_WRITEDATA, &octets);
  if (const CURLcode code = curl_easy_perform(curl_->handle); code != CURLE_OK) {
    return base::Unexpected{failure(code, endpoint, request)};
  }
  long status = 0;
  curl_easy_getinfo(curl_->handle, CURLINFO_RESPONSE_CODE, &status);
  return understand(status, std::move(octets), name_of(endpoint));
}

void Client::prepare(const std::string& url, const Request& request) {
  curl_->words[0] = '\0';
  curl_->set(CURLOPT_ERRORBUFFER, curl_->words);
  curl_->set(CURLOPT_URL, url.c_str());
  curl_->set(CURLOPT_PATH_AS_IS, 1L);  // a server named ".." is the authority's to refuse
  curl_->set(CURLOPT_PROTOCOLS_STR, "http,https");
  curl_->set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_->set(CURLOPT_NOPROXY, "*");
  curl_->set(CURLOPT_USERAGENT, "sluicectl/" SLUICE_VERSION);
  curl_->set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_->set(CURLOPT_TIMEOUT_MS, std::max(static_cast<long>(request.limit.count()), 1L));
  curl_->set(CURLOPT_NOPROGRESS, 0L);
  curl_->set(CURLOPT_XFERINFOFUNCTION, ask_interrupted);
  curl_->set(CURLOPT_XFERINFODATA, &settings_);
  if (request.method == Request::Method::Post) {
    curl_->set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_->set(CURLOPT_COPYPOSTFIELDS, request.body.c_str());
  } else {
    curl_->set(CURLOPT_HTTPGET, 1L);
  }
}

ApiError Client::failure(int code, const Endpoint& endpoint, const Request& request) const {
  const std::string words = printable(
      curl_->words[0] == '\0' ? curl_easy_strerror(static_cast<CURLcode>(code)) : curl_->words);
  const std::string peer = name_of(endpoint);
  const auto error = [](ApiError::Kind kind, std::string message) {
    return ApiError{kind, std::move(message), 0, {}, {}};
  };
  curl_off_t connected = 0;  // microseconds; 0: never
  curl_easy_getinfo(curl_->handle, CURLINFO_CONNECT_TIME_T, &connected);
  long reason = 0;
  curl_easy_getinfo(curl_->handle, CURLINFO_OS_ERRNO, &reason);
  switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
      return error(ApiError::Kind::Interrupted, "interrupted");
    case CURLE_COULDNT_CONNECT:
      return error(
          ApiError::Kind::Unreachable,
          peer + " (" + (reason == 0 ? words : std::strerror(static_cast<int>(reason))) + ")");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
      return error(ApiError::Kind::Unreachable, peer + " (" + words + ")");
    case CURLE_OPERATION_TIMEDOUT:
      if (connected == 0) return error(ApiError::Kind::Unreachable, peer + " (" + words + ")");
      return error(ApiError::Kind::NoAnswer,
                   "no answer from " + peer + " within " + spoken(request.limit));
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return error(ApiError::Kind::NoAnswer,
                   "the connection to " + peer + " broke before an answer came (" + words + ")");
    case CURLE_WRITE_ERROR:
      return error(ApiError::Kind::Strange, "the answer of " + peer + " is over 64 MiB");
    default:
      return error(ApiError::Kind::Strange, "the answer of " + peer + " is odd: " + words);
  }
}

}  // namespace sluice::ctl
