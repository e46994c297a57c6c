#include "tools/sluice-agent/authority_client.h"

#include <array>
#include <cassert>
#include <string_view>
#include <utility>

#include <curl/curl.h>
#include <sys/socket.h>

#include "config/base/uv_handle.h"
#include "tools/sluice-agent/timer.h"

namespace sluice::agent {
namespace {

struct FreeEasy {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};
struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

void initialise_curl() {
  // Once a process; it must come before any thread of libcurl's.
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  assert(done == CURLE_OK);
  static_cast<void>(done);
}

// libcurl's own sockets are inherited by hooks and checks, which then hold the connection open.
curl_socket_t open_socket(void*, curlsocktype, curl_sockaddr* address) {
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

}  // namespace

class AuthorityClient::Transfer {
 public:
  explicit Transfer(uv_loop_t* loop);
  ~Transfer();

  void put(const std::string& url, const std::string& token, std::string body, base::Duration limit,
           Done done);
  bool busy() const noexcept { return done_ != nullptr; }

 private:
  // A socket that libcurl wants to be told of; lives from its first wish to CURL_POLL_REMOVE.
  struct Watch {
    Transfer* transfer = nullptr;
    curl_socket_t fd = -1;
    base::UvHandle<uv_poll_t> poll;
  };

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* watch);
  static int on_timer(CURLM*, long milliseconds, void* self);
  static std::size_t on_body(char* octets, std::size_t, std::size_t count, void* self);
  void set_fixed_options();
  void watch(curl_socket_t fd, int what, Watch* known);
  void act(curl_socket_t fd, int events);
  void finish(CURLcode result);

  uv_loop_t* loop_;
  // Before the handles of libcurl: their cleanup still calls back.
  Timer timer_;
  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::unique_ptr<CURL, FreeEasy> easy_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::string body_;
  HttpAnswer answer_;
  Done done_;
};

AuthorityClient::Transfer::Transfer(uv_loop_t* loop)
    : loop_(loop), timer_(loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); }) {
  initialise_curl();
  multi_.reset(curl_multi_init());
  easy_.reset(curl_easy_init());
  assert(multi_ && easy_);  // fail for lack of memory alone
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &Transfer::on_socket);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &Transfer::on_timer);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
  // Authorities are few; one connection to each is kept.
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, 8L);
  set_fixed_options();
}

AuthorityClient::Transfer::~Transfer() {
  if (busy()) curl_multi_remove_handle(multi_.get(), easy_.get());
  easy_.reset();
  // Closes the kept connections; what is still watched is removed by on_socket.
  multi_.reset();
}

void AuthorityClient::Transfer::set_fixed_options() {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "PUT");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Without it the end of a request waits for getaddrinfo(), and the heartbeats with it.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_.data());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "sluice-agent/" SLUICE_VERSION);
}

void AuthorityClient::Transfer::put(const std::string& url, const std::string& token,
                                    std::string body, base::Duration limit, Done done) {
  assert(!busy());
  body_ = std::move(body);
  done_ = std::move(done);
  answer_ = {};
  error_.front() = '\0';
  curl_slist* list = curl_slist_append(nullptr, "Content-Type: application/json");
  list = curl_slist_append(list, ("Authorization: Bearer " + token).c_str());
  headers_.reset(list);
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body_.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  curl_multi_add_handle(multi_.get(), easy);  // starts by way of on_timer
}

int AuthorityClient::Transfer::on_timer(CURLM*, long milliseconds, void* self) {
  Timer& timer = static_cast<Transfer*>(self)->timer_;
  if (milliseconds < 0) {
    timer.stop();
  } else {
    timer.start(base::Duration(milliseconds));
  }
  return 0;
}

int AuthorityClient::Transfer::on_socket(CURL*, curl_socket_t fd, int what, void* self,
                                         void* watch) {
  static_cast<Transfer*>(self)->watch(fd, what, static_cast<Watch*>(watch));
  return 0;
}

void AuthorityClient::Transfer::watch(curl_socket_t fd, int what, Watch* known) {
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
    const int seen = status < 0 ? CURL_CSELECT_ERR
                                : ((ready & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0) |
                                      ((ready & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0);
    mine.transfer->act(mine.fd, seen);
  });
}

std::size_t AuthorityClient::Transfer::on_body(char* octets, std::size_t, std::size_t count,
                                               void* self) {
  std::string& body = static_cast<Transfer*>(self)->answer_.body;
  if (body.size() + count > kMaxReply) return 0;  // ends the transfer
  body.append(octets, count);
  return count;
}

void AuthorityClient::Transfer::act(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_.get(), fd, events, &running);
  int left = 0;
  while (CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;
    curl_multi_remove_handle(multi_.get(), easy_.get());  // ends `message`
    finish(result);
    return;  // there is one transfer; `this` may be gone
  }
}

void AuthorityClient::Transfer::finish(CURLcode result) {
  const Done done = std::exchange(done_, nullptr);
  if (result != CURLE_OK) {
    const std::string_view said(error_.data());
    done(base::failure(std::string(said.empty() ? curl_easy_strerror(result) : said)));
    return;
  }
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &answer_.status);
  done(std::exchange(answer_, {}));
}

AuthorityClient::AuthorityClient(uv_loop_t* loop) : transfer_(std::make_unique<Transfer>(loop)) {}

AuthorityClient::~AuthorityClient() = default;

void AuthorityClient::put(const std::string& url, const std::string& token, std::string body,
                          base::Duration limit, Done done) {
  transfer_->put(url, token, std::move(body), limit, std::move(done));
}

bool AuthorityClient::busy() const noexcept {
  return transfer_->busy();
}

}  // namespace sluice::agent
