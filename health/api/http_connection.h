#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <uv.h>

#include "health/api/http_server.h"
#include "health/api/request_parser.h"

namespace sluice::health {

// One client. Lives until libuv has closed its handles; then the server forgets it.
class HttpConnection {
 public:
  // `local`: of the unix socket.
  HttpConnection(HttpServer& server, bool local, std::uint64_t id);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  uv_stream_t* stream() noexcept { return &stream_.stream; }

  // Once the stream is accepted.
  void start();
  // The response to the request that is worked on, `number`; another one is none of ours.
  void respond(std::uint64_t number, HttpResponse response);
  // Ends it now if it waits for a request or streams, or after the next response.
  void finish();
  void close();

 private:
  enum class Phase : std::uint8_t {
    Reading,    // a request, or the wait for one
    Working,    // somebody has the request
    Writing,    // the client has not taken the whole response yet
    Streaming,  // content comes bit by bit
    Lingering,  // the last response is out; the client may still be sending
    Closed,
  };
  enum class Deadline : std::uint8_t { None, Idle, Head, Body, Write, Linger };

  void run();
  void begin_request();
  void work();
  void wait_for(Deadline deadline);
  void on_read(ssize_t size, const char* octets);
  void on_timer();
  void on_deadline();
  void answer(HttpResponse response);
  void begin_stream(std::shared_ptr<ContentStream> content);
  void pump(std::uint64_t number);
  void end_stream();
  void write(std::string octets);
  void on_written(int status);
  void end_response();
  void linger();

  static void on_closed(uv_handle_t* handle);
  void arm(Deadline deadline);
  void start_timer(std::uint64_t milliseconds);
  Peer peer() const;

  HttpServer& server_;
  const bool local_;
  const std::uint64_t id_;
  uv_any_handle stream_{};
  uv_timer_t timer_{};
  uv_shutdown_t shutdown_{};
  int open_handles_ = 0;

  RequestParser parser_;
  Peer peer_;
  Phase phase_ = Phase::Reading;
  Deadline deadline_ = Deadline::None;
  std::uint64_t due_ = 0;     // when it passes, by the loop's clock
  std::uint64_t number_ = 0;  // of the request that is worked on
  HttpServer::Continue continue_;
  std::shared_ptr<ContentStream> content_;  // Streaming
  bool head_only_ = false;
  bool takes_chunks_ = true;
  bool close_after_ = false;
  bool finishing_ = false;
  bool running_ = false;  // run() is on the stack
  bool paused_ = false;   // enough was read ahead
  bool ended_ = false;    // the client sends nothing more
  int writes_ = 0;        // under way
};

}  // namespace sluice::health
