#include "health/etcd/gateway.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <utility>

#include <curl/curl.h>

#include "config/base/curl/curl_loop.h"
#include "config/base/curl/easy.h"
#include "config/base/foreign_text.h"

namespace sluice::etcd {
namespace {

// Of one answer, and of what a stream brings in one turn. A page of a listing has some 500 KiB.
constexpr std::size_t kMostOctets = std::size_t{64} << 20;
// Handles that are kept for the next request.
constexpr std::size_t kMostSpare = 16;
// Connections that are kept: a few members, some requests at a time.
constexpr long kMostConnections = 32;

// One request under way.
struct Exchange {
  Gateway::Number number = 0;
  Gateway::Post post;
  Gateway::Done done;
  base::CurlEasy easy;
  base::CurlList headers;
  std::array<char, CURL_ERROR_SIZE> error{};
  std::size_t sent = 0;  // octets of the body
  std::string received;  // of a stream: what take() has not had
  bool fresh = false;    // a stream with something received
};

std::size_t read_body(char* room, std::size_t, std::size_t count, void* self) {
  Exchange& exchange = *static_cast<Exchange*>(self);
  const std::string_view left = std::string_view(exchange.post.body).substr(exchange.sent);
  const std::size_t taken = left.copy(room, count);
  exchange.sent += taken;
  return taken;
}

// libcurl sends a request again by itself when a kept connection ends without an answer; a
// transaction that was carried out and comes again would be told that its conditions are not met. A
// body that cannot be rewound ends that.
int refuse_to_rewind(void*, curl_off_t, int) {
  return CURL_SEEKFUNC_FAIL;
}

void set_trust(CURL* easy, const Gateway::Trust& trust) {
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!trust.ca.empty()) base::trust_only(easy, trust.ca);
  if (trust.certificate.empty()) return;
  curl_easy_setopt(easy, CURLOPT_SSLCERT, trust.certificate.c_str());
  curl_easy_setopt(easy, CURLOPT_SSLKEY, trust.key.c_str());
}

base::CurlEasy new_handle(const Gateway::Trust& trust) {
  base::CurlEasy owner = base::make_easy();
  CURL* const easy = owner.get();
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "sluiced/" SLUICE_VERSION);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, &read_body);
  curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, &refuse_to_rewind);
  curl_easy_setopt(
      easy, CURLOPT_OPENSOCKETFUNCTION, +[](void*, curlsocktype, curl_sockaddr* address) {
        return base::open_uninherited(*address);
      });
  set_trust(easy, trust);
  return owner;
}

}  // namespace

class Gateway::Engine {
 public:
  Engine(uv_loop_t* loop, Trust trust);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  Number post(Post post, Done done);
  void drop(Number number);

 private:
  using Ended = std::pair<std::shared_ptr<Exchange>, CURLcode>;

  static std::size_t on_body(char* octets, std::size_t, std::size_t count, void* exchange);
  base::CurlEasy handle();
  void set_up(Exchange& exchange);
  std::vector<Ended> take_ended();
  void deliver();
  base::Result<Answer, Failed> outcome(Exchange& exchange, CURLcode result);

  Trust trust_;
  Number last_ = 0;
  // Callbacks may destroy all this: who calls one looks here before going on.
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
  base::CurlLoop curl_;  // before the handles that it carries
  std::vector<base::CurlEasy> spare_;
  std::map<Number, std::shared_ptr<Exchange>> exchanges_;
};

Gateway::Engine::Engine(uv_loop_t* loop, Trust trust)
    : trust_(std::move(trust)), curl_(loop, kMostConnections, [this] { deliver(); }) {}

Gateway::Engine::~Engine() {
  for (const auto& [number, exchange] : exchanges_) {
    curl_.remove(exchange->easy.get());
    exchange->easy.reset();  // a callback that is under way may hold the exchange
  }
}

base::CurlEasy Gateway::Engine::handle() {
  if (spare_.empty()) return new_handle(trust_);
  base::CurlEasy easy = std::move(spare_.back());
  spare_.pop_back();
  return easy;
}

void Gateway::Engine::set_up(Exchange& exchange) {
  CURL* const easy = exchange.easy.get();
  curl_slist* list = nullptr;
  list = curl_slist_append(list, "Content-Type: application/json");
  list = curl_slist_append(list, "Expect:");  // a large body waits for nothing
  for (const std::string& header : exchange.post.headers) {
    list = curl_slist_append(list, header.c_str());
  }
  exchange.headers.reset(list);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(easy, CURLOPT_URL, exchange.post.url.c_str());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(exchange.post.body.size()));
  curl_easy_setopt(easy, CURLOPT_READDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Engine::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &exchange);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange.error.data());
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(exchange.post.connecting.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(exchange.post.limit.count()));
}

Gateway::Number Gateway::Engine::post(Post post, Done done) {
  const auto exchange = std::make_shared<Exchange>();
  exchange->number = ++last_;
  exchange->post = std::move(post);
  exchange->done = std::move(done);
  exchange->easy = handle();
  set_up(*exchange);
  exchanges_.emplace(exchange->number, exchange);
  curl_.add(exchange->easy.get());
  return exchange->number;
}

void Gateway::Engine::drop(Number number) {
  const auto found = exchanges_.find(number);
  if (found == exchanges_.end()) return;
  curl_.remove(found->second->easy.get());
  found->second->easy.reset();
  exchanges_.erase(found);
}

std::size_t Gateway::Engine::on_body(char* octets, std::size_t, std::size_t count, void* exchange) {
  Exchange& mine = *static_cast<Exchange*>(exchange);
  if (mine.received.size() + count > kMostOctets) return 0;  // ends the transfer
  mine.received.append(octets, count);
  mine.fresh = mine.post.take != nullptr;
  return count;
}

std::vector<Gateway::Engine::Ended> Gateway::Engine::take_ended() {
  std::vector<Ended> ended;
  while (const auto next = curl_.next_ended()) {
    void* exchange = nullptr;
    curl_easy_getinfo(next->easy, CURLINFO_PRIVATE, &exchange);
    ended.emplace_back(exchanges_.at(static_cast<Exchange*>(exchange)->number), next->result);
  }
  return ended;
}

// Out of libcurl's own callbacks, in which nothing of it may be called.
void Gateway::Engine::deliver() {
  const std::weak_ptr<const bool> alive = alive_;
  const std::vector<Ended> ended = take_ended();
  std::vector<std::shared_ptr<Exchange>> fresh;
  for (const auto& [number, exchange] : exchanges_) {
    if (exchange->fresh) fresh.push_back(exchange);
  }
  for (const auto& exchange : fresh) {
    if (!exchanges_.contains(exchange->number)) continue;  // dropped by the one before
    exchange->fresh = false;
    const std::string pieces = std::exchange(exchange->received, {});
    exchange->post.take(pieces);
    if (alive.expired()) return;
  }
  for (const auto& [exchange, result] : ended) {
    if (exchanges_.erase(exchange->number) == 0) continue;
    auto outcome = this->outcome(*exchange, result);
    if (spare_.size() < kMostSpare) spare_.push_back(std::move(exchange->easy));
    exchange->done(std::move(outcome));
    if (alive.expired()) return;
  }
}

base::Result<Gateway::Answer, Gateway::Failed> Gateway::Engine::outcome(Exchange& exchange,
                                                                        CURLcode result) {
  CURL* const easy = exchange.easy.get();
  // The exchange goes before the handle.
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
  if (result == CURLE_OK) {
    Answer answer;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
    answer.body = std::move(exchange.received);
    return answer;
  }
  long octets = 0;  // of the request, the head's included
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &octets);
  const std::string words =
      exchange.error.front() == '\0' ? curl_easy_strerror(result) : exchange.error.data();
  return base::Unexpected{Failed{octets > 0 || exchange.sent > 0, base::escaped(words)}};
}

Gateway::Gateway(uv_loop_t* loop, Trust trust)
    : engine_(std::make_unique<Engine>(loop, std::move(trust))) {}

Gateway::~Gateway() = default;

Gateway::Number Gateway::post(Post post, Done done) {
  return engine_->post(std::move(post), std::move(done));
}

void Gateway::drop(Number number) {
  engine_->drop(number);
}

}  // namespace sluice::etcd
