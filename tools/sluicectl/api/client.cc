#include "tools/sluicectl/api/client.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include <curl/curl.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>

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

// `roll` runs commands, which must not inherit the connection.
int close_on_exec(void*, curl_socket_t descriptor, curlsocktype) {
  return fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 ? CURL_SOCKOPT_OK : CURL_SOCKOPT_ERROR;
}

std::string name_of(const Endpoint& endpoint) {
  return printable(endpoint.where);
}

// Who listens is there, but not for this user.
std::string forbidden_words(const std::string& socket) {
  std::string text = "you may not open " + printable(socket);
  struct stat found {};
  if (stat(socket.c_str(), &found) != 0) return text + ": one of its folders does not let you in";
  constexpr mode_t kPermissions = 07777;
  std::array<char, 8> mode{};
  std::snprintf(mode.data(), mode.size(), "%04o", found.st_mode & kPermissions);
  // No other thread asks for groups.
  const group* named = getgrgid(found.st_gid);
  return text + "; it belongs to group " +
         (named == nullptr ? std::to_string(found.st_gid) : printable(named->gr_name)) + " (mode " +
         mode.data() + ")";
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

  long status() const {
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    return status;
  }
  bool is_success() const { return status() >= 200 && status() < 300; }
  // A media type may have parameters behind it (RFC 9110 section 8.3.1).
  bool has_type(std::string_view wanted) const {
    const char* type = nullptr;
    curl_easy_getinfo(handle, CURLINFO_CONTENT_TYPE, &type);
    const std::string_view given = type == nullptr ? "" : type;
    return given.substr(0, given.find_first_of("; ")) == wanted;
  }
};

// One request under way.
struct Client::Transfer {
  const Client& client;
  base::Duration limit;            // of the whole request
  base::Duration silence;          // nothing for so long ends it
  const Stream* wanted = nullptr;  // null: a document
  std::string octets{};            // of the document, or of a stream's refusal
  bool begun = false;              // the stream's own octets come
  bool silent = false;
  bool not_taken = false;
  bool other_type = false;
  std::chrono::steady_clock::time_point heard = std::chrono::steady_clock::now();

  std::size_t take(std::string_view piece) {
    heard = std::chrono::steady_clock::now();
    if (begun) {
      not_taken = !wanted->take(piece);
      return not_taken ? 0 : piece.size();  // 0 breaks off with CURLE_WRITE_ERROR
    }
    if (octets.size() + piece.size() > kLargestAnswer) return 0;
    octets.append(piece);
    return piece.size();
  }

  std::size_t take_header(std::string_view line) {
    if (wanted == nullptr || line != "\r\n" || !client.curl_->is_success()) return line.size();
    other_type = !client.curl_->has_type(wanted->media_type);
    if (other_type) return 0;
    begun = true;
    wanted->begun();
    return line.size();
  }

  // Whether to break off.
  bool ask() {
    silent = std::chrono::steady_clock::now() - heard >= silence;
    return silent || (client.settings_.interrupted && client.settings_.interrupted());
  }

  static std::size_t on_octets(char* piece, std::size_t, std::size_t size, void* transfer) {
    return static_cast<Transfer*>(transfer)->take({piece, size});
  }
  static std::size_t on_header(char* line, std::size_t, std::size_t size, void* transfer) {
    return static_cast<Transfer*>(transfer)->take_header({line, size});
  }
  static int on_progress(void* transfer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Transfer*>(transfer)->ask() ? 1 : 0;
  }
};

Client::Client(Settings settings)
    : settings_(std::move(settings)), curl_(std::make_unique<Curl>()) {
  assert(!settings_.endpoints.empty());
}

Client::~Client() = default;

template <class T, class Ask>
base::Result<T, ApiError> Client::to_first(Ask ask) {
  std::string tried;
  while (true) {
    auto answer = ask(settings_.endpoints.front());
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

base::Result<Answer, ApiError> Client::send(const Request& request) {
  return to_first<Answer>([&](const Endpoint& endpoint) { return send_to(endpoint, request); });
}

base::Result<base::Done, ApiError> Client::stream(const Stream& wanted) {
  return to_first<base::Done>(
      [&](const Endpoint& endpoint) { return stream_from(endpoint, wanted); });
}

base::Result<std::string, ApiError> Client::token_for(const Endpoint& endpoint) {
  // On the socket the file's permissions decide, and a token would only name somebody else.
  if (endpoint.kind == Endpoint::Kind::Socket || settings_.token_file.empty()) return std::string();
  if (token_.empty()) {
    auto token = read_token(settings_.token_file);
    if (!token) {
      return base::Unexpected{
          ApiError{ApiError::Kind::NotAllowed, std::move(token).error(), 0, {}, {}}};
    }
    token_ = *std::move(token);
  }
  return token_;
}

base::Result<Answer, ApiError> Client::send_to(const Endpoint& endpoint, const Request& request) {
  const auto token = token_for(endpoint);
  if (!token) return base::Unexpected{token.error()};
  Slist headers;
  append(headers, "Accept: application/json, application/problem+json");
  if (request.method == Request::Method::Post) append(headers, "Content-Type: application/json");
  if (!token->empty()) append(headers, "Authorization: Bearer " + *token);

  Transfer transfer{.client = *this, .limit = request.limit, .silence = request.limit};
  prepare(endpoint, request.path, transfer);
  curl_->set(CURLOPT_HTTPHEADER, headers.get());
  if (request.method == Request::Method::Post) {
    curl_->set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_->set(CURLOPT_COPYPOSTFIELDS, request.body.c_str());
  }
  if (request.method == Request::Method::Delete) curl_->set(CURLOPT_CUSTOMREQUEST, "DELETE");
  if (const CURLcode code = curl_easy_perform(curl_->handle); code != CURLE_OK) {
    return base::Unexpected{failure(code, endpoint, transfer)};
  }
  return understand(curl_->status(), std::move(transfer.octets), name_of(endpoint));
}

base::Result<base::Done, ApiError> Client::stream_from(const Endpoint& endpoint,
                                                       const Stream& wanted) {
  const auto token = token_for(endpoint);
  if (!token) return base::Unexpected{token.error()};
  Slist headers;
  append(headers, "Accept: " + wanted.media_type + ", application/problem+json");
  append(headers, "Cache-Control: no-store");
  if (!wanted.last_event_id.empty()) append(headers, "Last-Event-ID: " + wanted.last_event_id);
  if (!token->empty()) append(headers, "Authorization: Bearer " + *token);

  Transfer transfer{
      .client = *this, .limit = base::Duration{0}, .silence = wanted.silence, .wanted = &wanted};
  prepare(endpoint, wanted.path, transfer);
  curl_->set(CURLOPT_HTTPHEADER, headers.get());
  if (const CURLcode code = curl_easy_perform(curl_->handle); code != CURLE_OK) {
    return base::Unexpected{failure(code, endpoint, transfer)};
  }
  if (curl_->is_success()) return base::Done{};
  auto refused = understand(curl_->status(), std::move(transfer.octets), name_of(endpoint));
  assert(!refused);
  return base::Unexpected{std::move(refused).error()};
}

void Client::prepare(const Endpoint& endpoint, const std::string& path, Transfer& transfer) {
  const bool by_socket = endpoint.kind == Endpoint::Kind::Socket;
  const std::string url = (by_socket ? "http://localhost" : endpoint.where) + path;
  curl_->words[0] = '\0';
  curl_->set(CURLOPT_ERRORBUFFER, curl_->words);
  curl_->set(CURLOPT_URL, url.c_str());
  curl_->set(CURLOPT_UNIX_SOCKET_PATH, by_socket ? endpoint.where.c_str() : nullptr);
  curl_->set(CURLOPT_PATH_AS_IS, 1L);  // a server named ".." is the authority's to refuse
  curl_->set(CURLOPT_PROTOCOLS_STR, "http,https");
  curl_->set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_->set(CURLOPT_NOPROXY, "*");
  curl_->set(CURLOPT_USERAGENT, "sluicectl/" SLUICE_VERSION);
  curl_->set(CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  // 0 is no limit, for streams: these have the limit of silence.
  const long limit = static_cast<long>(transfer.limit.count());
  curl_->set(CURLOPT_TIMEOUT_MS, transfer.wanted != nullptr ? 0L : std::max(limit, 1L));
  curl_->set(CURLOPT_NOPROGRESS, 0L);
  curl_->set(CURLOPT_XFERINFOFUNCTION, Transfer::on_progress);
  curl_->set(CURLOPT_XFERINFODATA, &transfer);
  curl_->set(CURLOPT_WRITEFUNCTION, Transfer::on_octets);
  curl_->set(CURLOPT_WRITEDATA, &transfer);
  curl_->set(CURLOPT_HEADERFUNCTION, Transfer::on_header);
  curl_->set(CURLOPT_HEADERDATA, &transfer);
  curl_->set(CURLOPT_SOCKOPTFUNCTION, close_on_exec);
  curl_->set<const char*>(CURLOPT_CUSTOMREQUEST, nullptr);
  curl_->set(CURLOPT_HTTPGET, 1L);
}

ApiError Client::failure(int code, const Endpoint& endpoint, const Transfer& transfer) const {
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
      if (!transfer.silent) return error(ApiError::Kind::Interrupted, "interrupted");
      return error(ApiError::Kind::NoAnswer,
                   peer + " has said nothing for " + spoken(transfer.silence));
    case CURLE_COULDNT_CONNECT:
      // No other endpoint is tried: the authority of this host is the one that was meant.
      if (endpoint.kind == Endpoint::Kind::Socket && reason == EACCES) {
        return error(ApiError::Kind::NotAllowed, forbidden_words(endpoint.where));
      }
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
                   "no answer from " + peer + " within " + spoken(transfer.limit));
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return error(ApiError::Kind::NoAnswer,
                   "the connection to " + peer + " broke before an answer came (" + words + ")");
    case CURLE_PARTIAL_FILE:
      // Half of a document is an odd answer; a stream may end anywhere.
      if (transfer.wanted != nullptr) {
        return error(ApiError::Kind::NoAnswer, "the connection to " + peer + " broke off");
      }
      return error(ApiError::Kind::Strange, "the answer of " + peer + " is odd: " + words);
    case CURLE_WRITE_ERROR:
      if (transfer.other_type) {
        return error(ApiError::Kind::Strange,
                     "the answer of " + peer + " is not of type " + transfer.wanted->media_type);
      }
      if (transfer.not_taken) return error(ApiError::Kind::NotTaken, "broken off");
      return error(ApiError::Kind::Strange, "the answer of " + peer + " is over 64 MiB");
    default:
      return error(ApiError::Kind::Strange, "the answer of " + peer + " is odd: " + words);
  }
}

}  // namespace sluice::ctl
