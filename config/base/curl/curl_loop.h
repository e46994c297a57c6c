#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include <curl/curl.h>
#include <uv.h>

#include "config/base/timer.h"
#include "config/base/uv_handle.h"

namespace sluice::base {

// Any number of libcurl's transfers on a libuv loop: what libcurl wants to know of its sockets and
// of time, libuv tells it. It never blocks the loop. Used on the loop's thread alone.
class CurlLoop {
 public:
  struct Ended {
    CURL* easy = nullptr;
    CURLcode result = CURLE_OK;
  };

  // Keeps as many connections open as `most_connections` says. `turned` is called after each turn
  // of libcurl's, outside of all its callbacks: the place for next_ended(). It may do anything with
  // this object, destroy it included.
  CurlLoop(uv_loop_t* loop, long most_connections, std::function<void()> turned);
  // Closes the connections that are kept. Handles that are still in it must have been removed or
  // freed; nothing is called any more but their callbacks that close sockets.
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  // Starts in a turn of the loop to come, never from within. Not from a callback of libcurl's.
  void add(CURL* easy);
  // Ends it without a word. Not from a callback of libcurl's.
  void remove(CURL* easy);
  // A transfer that has ended and is removed already; none: ask again after the next turn.
  std::optional<Ended> next_ended();

 private:
  struct MultiFree {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
  };
  // A socket that libcurl wants to be told of, from its first wish to CURL_POLL_REMOVE.
  struct Watch {
    CurlLoop* owner = nullptr;
    curl_socket_t fd = -1;
    int events = 0;  // of libuv's
    UvHandle<uv_poll_t> poll;
  };

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*);
  static int on_timer(CURLM*, long milliseconds, void* self);
  static void on_ready(uv_poll_t* poll, int status, int ready);
  void watch(curl_socket_t fd, int events);
  void act(curl_socket_t fd, int events);

  uv_loop_t* loop_;
  std::function<void()> turned_;
  // Before what is libcurl's: its cleanup still calls back.
  Timer timer_;
  std::map<curl_socket_t, std::unique_ptr<Watch>> watches_;
  std::unique_ptr<CURLM, MultiFree> multi_;
};

}  // namespace sluice::base
