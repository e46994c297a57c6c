#include "health/etcd/gateway.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <map>
#include <utility>

#include <curl/curl.h>
#include <sys/socket.h>

#include "config/base/foreign_text.h"
#include "config/base/uv_handle.h"
#include "health/etcd/timer.h"

namespace sluice::etcd {
namespace {

// Of one answer, and of what a stream brings in one turn. A page of a listing has some 500 KiB.
constexpr std::size_t kMostOctets = std::size_t{64} << 20;
// Handles that are kept for the next request.
constexpr std::size_t kMostSpare = 16;
// Connections that are kept: a few members, some requests at a time.
constexpr long kMostConnections = 32;

struct FreeEasy {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};
struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;

// One request under way.
struct Exchange {
  Gateway::Number number = 0;
  Gateway::Post post;
  Gateway::Done done;
  Easy easy;
  std::unique_ptr<curl_slist, FreeList> headers;
  std::array<char, CURL_ERROR_SIZE> error{};
  std::size_t sent = 0;  // octets of the body
  std::string received;  // of a stream: what take() has not had
  bool fresh = false;    // a stream with something received
};

void initialise_curl() {
  // Once a process; it must come before any thread of libcurl's.
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  assert(done == CURLE_OK);
  static_cast<void>(done);
}

void set_trust(CURL* easy, const Gateway::Trust& trust) {
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!trust.ca.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, trust.ca.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);  // that file's alone
  }
  if (trust.certificate.empty()) return;
  curl_easy_setopt(easy, CURLOPT_SSLCERT, trust.certificate.c_str());
  curl_easy_setopt(easy, CURLOPT_SSLKEY, trust.key.c_str());
}

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

void set_fixed_options(CURL* easy, const Gateway::Trust& trust) {
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Without it the end of a request waits for getaddrinfo(), and the control thread with it.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  // Otherwise a file of authorities that was replaced counts a day later.
  curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "sluiced/" SLUICE_VERSION);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, &read_body);
  curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, &refuse_to_rewind);
  // libcurl's own sockets would be inherited by a successor.
  curl_easy_setopt(
      easy, CURLOPT_OPENSOCKETFUNCTION,
      +[](void*, curlsocktype, curl_sockaddr* address) -> curl_socket_t {
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
      });
  set_trust(easy, trust);
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
  // A socket that libcurl wants to be told of; lives from its first wish to CURL_POLL_REMOVE.
  struct Watch {
    Engine* engine = nullptr;
    curl_socket_t fd = -1;
    base::UvHandle<uv_poll_t> poll;
  };
  using Ended = std::pair<std::shared_ptr<Exchange>, CURLcode>;

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* watch);
  static int on_timer(CURLM*, long milliseconds, void* self);
  static std::size_t on_body(char* octets, std::size_t, std::size_t count, void* exchange);
  Easy handle();
  void set_up(Exchange& exchange);
  void watch(curl_socket_t fd, int what, Watch* known);
  void act(curl_socket_t fd, int events);
  std::vector<Ended> take_ended();
  void deliver();
  base::Result<Answer, Failed> outcome(Exchange& exchange, CURLcode result);

  uv_loop_t* loop_;
  Trust trust_;
  Number last_ = 0;
  // Callbacks may destroy all this: who calls one looks here before going on.
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
  // Before the handles of libcurl: their cleanup still calls back.
  Timer timer_;
  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::vector<Easy> spare_;
  std::map<Number, std::shared_ptr<Exchange>> exchanges_;
};

Gateway::Engine::Engine(uv_loop_t* loop, Trust trust)
    : loop_(loop), trust_(std::move(trust)), timer_(loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); }) {
  initialise_curl();
  multi_.reset(curl_multi_init());
  assert(multi_);  // fails for lack of memory alone
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &Engine::on_socket);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &Engine::on_timer);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kMostConnections);
}

Gateway::Engine::~Engine() {
  for (const auto& [number, exchange] : exchanges_) {
    curl_multi_remove_handle(multi_.get(), exchange->easy.get());
    exchange->easy.reset();  // a callback that is under way may hold the exchange
  }
  spare_.clear();
  // Closes the kept connections; what is still watched is removed by on_socket.
  multi_.reset();
}

Easy Gateway::Engine::handle() {
  if (!spare_.empty()) {
    Easy easy = std::move(spare_.back());
    spare_.pop_back();
    return easy;
  }
  Easy easy(curl_easy_init());
  assert(easy);  // fails for lack of memory alone
  set_fixed_options(easy.get(), trust_);
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
  curl_multi_add_handle(multi_.get(), exchange->easy.get());  // starts by way of on_timer
  return exchange->number;
}

void Gateway::Engine::drop(Number number) {
  const auto found = exchanges_.find(number);
  if (found == exchanges_.end()) return;
  curl_multi_remove_handle(multi_.get(), found->second->easy.get());
  found->second->easy.reset();
  exchanges_.erase(found);
}

int Gateway::Engine::on_timer(CURLM*, long milliseconds, void* self) {
  Timer& timer = static_cast<Engine*>(self)->timer_;
  if (milliseconds < 0) {
    timer.stop();
  } else {
    timer.start(base::Duration(milliseconds));
  }
  return 0;
}

int Gateway::Engine::on_socket(CURL*, curl_socket_t fd, int what, void* self, void* watch) {
  static_cast<Engine*>(self)->watch(fd, what, static_cast<Watch*>(watch));
  return 0;
}

void Gateway::Engine::watch(curl_socket_t fd, int what, Watch* known) {
  if (what == CURL_POLL_REMOVE) {
    curl_multi_assign(multi_.get(), fd, nullptr);
    delete known;
    return;
  }
  if (known == nullptr) {
    auto* poll = new uv_poll_t;
    if (uv_poll_init_socket(loop_, poll, fd) != 0) {
      delete poll;  // the time limit of the request ends it
      return;
    }
    known = new Watch{this, fd, base::UvHandle<uv_poll_t>(poll)};
    poll->data = known;
    curl_multi_assign(multi_.get(), fd, known);
  }
  const int events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                     ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
  uv_poll_start(known->poll.get(), events, [](uv_poll_t* handle, int status, int ready) {
    const Watch& mine = *static_cast<Watch*>(handle->data);
    // What is wrong with a socket libcurl learns, and tells, when it reads.
    const int seen = status < 0 ? CURL_CSELECT_IN | CURL_CSELECT_OUT
                                : ((ready & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0) |
                                      ((ready & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0);
    mine.engine->act(mine.fd, seen);
  });
}

std::size_t Gateway::Engine::on_body(char* octets, std::size_t, std::size_t count, void* exchange) {
  Exchange& mine = *static_cast<Exchange*>(exchange);
  if (mine.received.size() + count > kMostOctets) return 0;  // ends the transfer
  mine.received.append(octets, count);
  mine.fresh = mine.post.take != nullptr;
  return count;
}

void Gateway::Engine::act(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_.get(), fd, events, &running);
  deliver();
}

std::vector<Gateway::Engine::Ended> Gateway::Engine::take_ended() {
  std::vector<Ended> ended;
  int left = 0;
  while (CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const easy = message->easy_handle;
    const CURLcode result = message->data.result;
    void* exchange = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &exchange);
    curl_multi_remove_handle(multi_.get(), easy);  // ends `message`
    ended.emplace_back(exchanges_.at(static_cast<Exchange*>(exchange)->number), result);
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
