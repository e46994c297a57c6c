#include "config/base/curl/curl_loop.h"

#include <cassert>
#include <utility>

#include "config/base/curl/easy.h"

namespace sluice::base {

CurlLoop::CurlLoop(uv_loop_t* loop, long most_connections, std::function<void()> turned)
    : loop_(loop),
      turned_(std::move(turned)),
      timer_(loop, [this] { act(CURL_SOCKET_TIMEOUT, 0); }) {
  initialise_curl();
  multi_.reset(curl_multi_init());
  assert(multi_);  // fails for lack of memory alone
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, most_connections);
}

CurlLoop::~CurlLoop() = default;

void CurlLoop::add(CURL* easy) {
  curl_multi_add_handle(multi_.get(), easy);  // starts by way of on_timer
}

void CurlLoop::remove(CURL* easy) {
  curl_multi_remove_handle(multi_.get(), easy);
}

std::optional<CurlLoop::Ended> CurlLoop::next_ended() {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const Ended ended{message->easy_handle, message->data.result};
    remove(ended.easy);  // ends `message`
    return ended;
  }
  return {};
}

int CurlLoop::on_timer(CURLM*, long milliseconds, void* self) {
  Timer& timer = static_cast<CurlLoop*>(self)->timer_;
  if (milliseconds < 0) {
    timer.stop();
  } else {
    timer.start(Duration(milliseconds));
  }
  return 0;
}

int CurlLoop::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  CurlLoop& mine = *static_cast<CurlLoop*>(self);
  if (what == CURL_POLL_REMOVE) {
    mine.watches_.erase(fd);
  } else {
    mine.watch(fd, ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                       ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0));
  }
  return 0;
}

void CurlLoop::watch(curl_socket_t fd, int events) {
  std::unique_ptr<Watch>& known = watches_[fd];
  if (known == nullptr) {
    auto* poll = new uv_poll_t;
    if (uv_poll_init_socket(loop_, poll, fd) != 0) {
      delete poll;  // the time limit of the request ends it
      watches_.erase(fd);
      return;
    }
    known = std::make_unique<Watch>(Watch{this, fd, 0, UvHandle<uv_poll_t>(poll)});
    poll->data = known.get();
  }
  known->events = events;
  uv_poll_start(known->poll.get(), events, &CurlLoop::on_ready);
}

// An error of the socket (POLLERR; a peer's reset, say) comes as UV_EBADF, whatever it is and
// whatever else there is to read, and libuv watches the socket no longer (uv__poll_io of 1.44).
//
// libcurl is told that the socket can be read and written, never CURL_CSELECT_ERR, which in the
// midst of a transfer ends it unseen as "select/poll returned error" (Curl_readwrite of 7.88) and
// throws away what came before the error: an answer that is whole, perhaps, from a server that
// closed in a hurry. Reading and writing, libcurl takes what there is, then meets the error and
// tells it. A connection that is not made yet it asks for the error by itself, whatever it is told.
//
// And the watch goes on, as libcurl believes: how much it reads in a turn is its own affair. That
// is no idle spinning, since each turn takes something or meets the end, and libcurl closes what
// has ended.
void CurlLoop::on_ready(uv_poll_t* poll, int status, int ready) {
  const Watch& mine = *static_cast<Watch*>(poll->data);
  if (status < 0) {
    uv_poll_start(poll, mine.events, &CurlLoop::on_ready);
    ready = UV_READABLE | UV_WRITABLE;
  }
  mine.owner->act(mine.fd, ((ready & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0) |
                               ((ready & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0));
}

void CurlLoop::act(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_.get(), fd, events, &running);
  const auto turned = turned_;  // all this may go in between
  turned();
}

}  // namespace sluice::base
