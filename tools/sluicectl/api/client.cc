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

#include "config/base/curl/easy.h"
#include "tools/sluicectl/render/duration_words.h"
#include "tools/sluicectl/render/text.h"
#include "tools/tls/failure.h"

namespace sluice::ctl {
namespace {

// A connection takes milliseconds; five seconds allow for two lost SYNs (RFC 6298: 1 s, then 2 s).
constexpr long kConnectSeconds = 5;
// The state of some 100,000 services.
constexpr std::size_t kLargestAnswer = std::size_t{64} << 20;

void append(base::CurlList& list, const std::string& line) {
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

bool is_https(const Endpoint& endpoint) {
  return endpoint.kind == Endpoint::Kind::Url && endpoint.where.starts_with("https:");
}

// Alone or with the local socket an endpoint is what the user means, with others of its kind one of
// many that serve alike.
bool are_responders(const std::vector<Endpoint>& endpoints) {
  return endpoints.size() > 1 && std::ranges::none_of(endpoints, [](const Endpoint& endpoint) {
           return endpoint.kind == Endpoint::Kind::Socket;
         });
}

ApiError nobody(const std::string& tried) {
  return {ApiError::Kind::Unreachable,
          "no authority answers at " + tried +
              "; is sluiced running?\n--api or SLUICE_API, --socket or SLUICE_SOCKET says"
              " where it listens.",
          0,
          {},
          {}};
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
  CURL* handle = [] {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return curl_easy_init();
  }();
  char words[CURL_ERROR_SIZE] = {};

  Curl() { assert(handle != nullptr); }
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
    : settings_(std::move(settings)), files_(settings_.tls), curl_(std::make_unique<Curl>()) {
  assert(!settings_.endpoints.empty());
}

Client::~Client() = default;

template <class T, class Ask>
base::Result<T, ApiError> Client::to_first(bool repeat, Ask ask) {
  if (are_responders(settings_.endpoints)) return to_responder<T>(repeat, std::move(ask));
  std::string tried;
  while (true) {
    auto answer = ask(settings_.endpoints.front());
    if (answer || answer.error().kind != ApiError::Kind::Unreachable) {
      // From now on this one, whoever else may listen: no command speaks to two authorities.
      settings_.endpoints.resize(1);
      peer_ = settings_.endpoints.front();
      return answer;
    }
    tried += (tried.empty() ? "" : " or ") + answer.error().message;
    if (settings_.endpoints.size() == 1) return base::Unexpected{nobody(tried)};
    settings_.endpoints.erase(settings_.endpoints.begin());
  }
}

template <class T, class Ask>
base::Result<T, ApiError> Client::to_responder(bool repeat, Ask ask) {
  for (bool again = true; true; again = false) {
    if (!peer_) {
      if (auto found = find_peer(); !found) return base::Unexpected{std::move(found).error()};
    }
    auto answer = ask(*peer_);
    if (answer) return answer;
    const ApiError::Kind kind = answer.error().kind;
    const bool not_asked = kind == ApiError::Kind::Unreachable;
    const bool gone = not_asked || kind == ApiError::Kind::NoAnswer;
    if (!gone) return answer;
    peer_.reset();  // the next request finds another
    if (!again || (!not_asked && !repeat)) return answer;
  }
}

base::Result<base::Done, ApiError> Client::find_peer() {
  std::string tried;
  for (const Endpoint& endpoint : settings_.endpoints) {
    Request request;
    request.path = "/healthz";
    request.limit = kFirstWord;
    auto answer = send_to(endpoint, request);
    const bool silent = !answer && (answer.error().kind == ApiError::Kind::Unreachable ||
                                    answer.error().kind == ApiError::Kind::NoAnswer);
    if (!silent) {
      // Whatever is wrong with it, the request itself will tell.
      if (!answer && answer.error().kind == ApiError::Kind::Interrupted) {
        return base::Unexpected{std::move(answer).error()};
      }
      peer_ = endpoint;
      return base::Done{};
    }
    tried += (tried.empty() ? "" : " or ") + answer.error().message;
  }
  return base::Unexpected{nobody(tried)};
}

base::Result<Answer, ApiError> Client::send(const Request& request) {
  const bool repeat = request.method == Request::Method::Get;
  return to_first<Answer>(repeat,
                          [&](const Endpoint& endpoint) { return send_to(endpoint, request); });
}

base::Result<base::Done, ApiError> Client::stream(const Stream& wanted) {
  // What came of it is taken: whoever wants the rest says from where.
  return to_first<base::Done>(
      false, [&](const Endpoint& endpoint) { return stream_from(endpoint, wanted); });
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

void Client::warn_once(const std::string& text) {
  if (settings_.warn && warned_.insert(text).second) settings_.warn(printable(text));
}

base::Result<base::Done, ApiError> Client::make_ready(const Endpoint& endpoint) {
  if (travels_in_the_clear(endpoint) && !settings_.token_file.empty()) {
    warn_once("the token travels in the clear to " + name_of(endpoint) +
              ": who reads along may use it; use https:// (api.tls of the authority)");
  }
  if (!is_https(endpoint)) return base::Done{};
  material_ = files_.current();
  if (!material_) {
    return base::Unexpected{
        ApiError{ApiError::Kind::NotAllowed, printable(files_.failure()), 0, {}, {}}};
  }
  if (!files_.failure().empty()) warn_once(files_.failure());
  for (const std::string& warning : material_->warnings) warn_once(warning);
  const auto now = std::chrono::floor<base::Duration>(std::chrono::system_clock::now());
  if (const auto trouble = material_->trouble_at(now)) warn_once(*trouble);
  return base::Done{};
}

// As octets, so that a connection or session made with others is not taken up again.
void Client::set_trust(const Endpoint& endpoint) {
  if (!is_https(endpoint)) return;
  const auto set = [this](CURLoption option, const std::string& text) {
    // libcurl does not write to it; material_ outlives the transfer.
    curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
    curl_->set(option, text.empty() ? nullptr : &blob);
  };
  set(CURLOPT_SSLCERT_BLOB, material_->certificate);
  set(CURLOPT_SSLKEY_BLOB, material_->key);
  set(CURLOPT_CAINFO_BLOB, material_->ca);
  if (!material_->ca.empty())
    curl_->set<const char*>(CURLOPT_CAPATH, nullptr);  // that file's alone
  curl_->set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_->set(CURLOPT_CERTINFO, 1L);  // whose certificate it was, for messages
}

base::Result<Answer, ApiError> Client::send_to(const Endpoint& endpoint, const Request& request) {
  const auto token = token_for(endpoint);
  if (!token) return base::Unexpected{token.error()};
  if (auto ready = make_ready(endpoint); !ready) return base::Unexpected{ready.error()};
  base::CurlList headers;
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
  if (auto ready = make_ready(endpoint); !ready) return base::Unexpected{ready.error()};
  base::CurlList headers;
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
  set_trust(endpoint);
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

// Where TLS is the reason, or its lack.
std::optional<ApiError> Client::tls_failure(int code, const Endpoint& endpoint,
                                            const std::string& words) const {
  if (endpoint.kind == Endpoint::Kind::Socket) return {};
  tls::Failed failed =
      tls::failed(curl_->handle, static_cast<CURLcode>(code), words, endpoint.where);
  failed.certificate_shown = material_ && !material_->certificate.empty();
  failed.ca_given = material_ && !material_->ca.empty();
  const tls::Explanation why = tls::explain(failed, {"--ca", "--certificate"});
  if (why.reason == tls::Reason::Other) return {};
  const std::string peer = name_of(endpoint);
  const std::string text = printable(why.text);
  const auto error = [](ApiError::Kind kind, std::string message) {
    return ApiError{kind, std::move(message), 0, {}, {}};
  };
  switch (why.reason) {
    case tls::Reason::NotTaken:
      return error(ApiError::Kind::NotAllowed, peer + ": " + text);
    case tls::Reason::Handshake:
      // It may be just ending or starting.
      if (code == CURLE_SSL_CONNECT_ERROR) {
        return error(ApiError::Kind::Unreachable, peer + " (" + text + ")");
      }
      return error(ApiError::Kind::NoAnswer, peer + ": " + text);
    case tls::Reason::Silent:
      return error(
          ApiError::Kind::NoAnswer,
          "the connection to " + peer + " broke before an answer came (" + words + "); " + text);
    default:
      return error(ApiError::Kind::NotTrusted, peer + ": " + text);
  }
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
  const auto refused = tls_failure(code, endpoint, words);
  if (refused) return *refused;
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
