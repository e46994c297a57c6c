#include "health/api/http_connection.h"

#include <memory>
#include <utility>

#include <sys/socket.h>

#include "health/api/http_octets.h"
#include "health/api/problem.h"

namespace sluice::health {
namespace {

// Of a stream's content, what the kernel keeps for a reader that is slow (it doubles the number):
// by itself it would take megabytes.
constexpr int kStreamSendOctets = 64 * 1024;

struct Write {
  uv_write_t request{};
  std::string octets;
};

}  // namespace

HttpConnection::HttpConnection(HttpServer& server, bool local, std::uint64_t id)
    : server_(server), local_(local), id_(id), parser_(server.limits_, &server.spare_input_) {
  if (local) {
    uv_pipe_init(server.loop_, &stream_.pipe, 0);
  } else {
    uv_tcp_init(server.loop_, &stream_.tcp);
  }
  uv_timer_init(server.loop_, &timer_);
  open_handles_ = 2;
  stream_.handle.data = this;
  timer_.data = this;
}

void HttpConnection::start() {
  peer_ = peer();
  if (!local_) uv_tcp_nodelay(&stream_.tcp, 1);
  const int status = uv_read_start(
      stream(),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        std::vector<char>& shared =
            static_cast<HttpConnection*>(handle->data)->server_.read_buffer_;
        *buffer = uv_buf_init(shared.data(), static_cast<unsigned>(shared.size()));
      },
      [](uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
        static_cast<HttpConnection*>(stream->data)->on_read(size, buffer->base);
      });
  if (status != 0) return close();
  // Who connects has something to say: a silent client keeps its place for as long as a slow one.
  arm(Deadline::Head);
}

Peer HttpConnection::peer() const {
  if (local_) {
    uv_os_fd_t descriptor = -1;
    uv_fileno(&stream_.handle, &descriptor);
    return {true, "unix", peer_user(descriptor)};
  }
  sockaddr_storage storage{};
  int size = sizeof storage;
  uv_tcp_getpeername(&stream_.tcp, reinterpret_cast<sockaddr*>(&storage), &size);
  const auto address = base::SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage));
  return {false, address ? address->to_string() : "unknown", ""};
}

// --- reading ---

void HttpConnection::on_read(ssize_t size, const char* octets) {
  if (size == 0 || phase_ == Phase::Closed) return;
  if (size < 0) {
    uv_read_stop(stream());
    ended_ = true;
    // A client may close its side and still read (RFC 9112 section 9.6); an error ends both.
    if (size != UV_EOF || phase_ == Phase::Lingering || phase_ == Phase::Streaming) return close();
    if (phase_ == Phase::Reading) run();
    return;
  }
  if (phase_ == Phase::Lingering) return;
  parser_.feed({octets, static_cast<std::size_t>(size)});
  if (phase_ == Phase::Reading) return run();
  if (parser_.waiting() > server_.limits_.pipelined) {
    uv_read_stop(stream());
    paused_ = true;
  }
}

void HttpConnection::run() {
  if (running_) return;  // a response that came at once: the loop below goes on
  running_ = true;
  while (phase_ == Phase::Reading) {
    switch (parser_.advance()) {
      case RequestParser::State::Idle:
        if (finishing_) {
          close();
          break;
        }
        // The first request has the deadline of the connection's start.
        wait_for(number_ == 0 ? Deadline::Head : Deadline::Idle);
        running_ = false;
        return;
      case RequestParser::State::Head:
        wait_for(Deadline::Head);
        running_ = false;
        return;
      case RequestParser::State::Body:
        wait_for(Deadline::Body);
        running_ = false;
        return;
      case RequestParser::State::HeadDone:
        begin_request();
        break;
      case RequestParser::State::Done:
        work();
        break;
      case RequestParser::State::Failed:
        close_after_ = true;
        answer(problem(parser_.error().status, parser_.error().detail));
        break;
    }
  }
  running_ = false;
}

void HttpConnection::wait_for(Deadline deadline) {
  if (ended_) return close();
  if (paused_) {
    paused_ = false;
    uv_read_start(stream(), stream_.stream.alloc_cb, stream_.stream.read_cb);
  }
  arm(deadline);
}

void HttpConnection::begin_request() {
  const HttpRequest& head = parser_.request();
  ++number_;
  arm(Deadline::None);
  head_only_ = head.method == Method::Head;
  takes_chunks_ = head.takes_chunks;
  close_after_ = !head.keep_alive || finishing_;
  const bool has_body = head.has_body;
  const bool expects_continue = head.expects_continue;
  auto accepted = server_.on_head_(head, peer_);
  if (accepted) {
    continue_ = std::move(*accepted);
    if (expects_continue && parser_.waiting() == 0) write("HTTP/1.1 100 Continue\r\n\r\n");
    return;
  }
  // A body that nobody wants is not read: what follows it can't be found then.
  if (has_body) {
    close_after_ = true;
  } else {
    parser_.advance();
    parser_.take();
  }
  answer(std::move(accepted).error());
}

void HttpConnection::work() {
  std::string body = parser_.take().body;
  phase_ = Phase::Working;
  arm(Deadline::None);  // of its body
  const auto proceed = std::exchange(continue_, nullptr);
  // The server, not the connection: that may be gone when the response comes.
  proceed(std::move(body), [&server = server_, id = id_, number = number_](HttpResponse response) {
    const auto found = server.connections_.find(id);
    if (found != server.connections_.end()) found->second->respond(number, std::move(response));
  });
}

// --- writing ---

void HttpConnection::respond(std::uint64_t number, HttpResponse response) {
  if (phase_ != Phase::Working || number != number_) return;
  answer(std::move(response));
  if (phase_ == Phase::Reading) run();
}

void HttpConnection::answer(HttpResponse response) {
  // Where there are no chunks, the connection's end is the content's.
  const bool ends_it = response.stream && !takes_chunks_;
  response.close = response.close || close_after_ || finishing_ || ends_it;
  close_after_ = response.close;
  phase_ = Phase::Writing;
  write(to_octets(response, head_only_, takes_chunks_, server_.clock_.now().wall));
  if (phase_ != Phase::Writing) return;  // the client is gone
  if (response.stream && !head_only_) return begin_stream(std::move(response.stream));
  if (writes_ == 0) return end_response();
  arm(Deadline::Write);
}

void HttpConnection::begin_stream(std::shared_ptr<ContentStream> content) {
  if (ended_) return close();
  int octets = kStreamSendOctets;
  uv_send_buffer_size(&stream_.handle, &octets);
  phase_ = Phase::Streaming;
  content_ = std::move(content);
  // As with a response: the connection may be gone when there is more.
  content_->open([&server = server_, id = id_, number = number_] {
    const auto found = server.connections_.find(id);
    if (found != server.connections_.end()) found->second->pump(number);
  });
  finishing_ ? end_stream() : pump(number_);
}

// One portion, so that no stream keeps the others of this thread waiting.
void HttpConnection::pump(std::uint64_t number) {
  if (phase_ != Phase::Streaming || number != number_ || writes_ > 0) return;
  arm(Deadline::None);
  auto portion = content_->next();
  if (!portion) return close();
  if (portion->empty()) return;
  write(takes_chunks_ ? chunk(*portion) : std::move(*portion));
  if (writes_ > 0) arm(Deadline::Write);
}

// What is there, the end of the content, and the connection's: a reader that is behind is cut.
void HttpConnection::end_stream() {
  pump(number_);
  if (phase_ == Phase::Streaming && writes_ == 0 && takes_chunks_) write(std::string(kLastChunk));
  close();
}

void HttpConnection::write(std::string octets) {
  uv_buf_t buffer = uv_buf_init(octets.data(), static_cast<unsigned>(octets.size()));
  const int written = uv_try_write(stream(), &buffer, 1);
  if (written < 0 && written != UV_EAGAIN) return close();
  const std::size_t done = written < 0 ? 0 : static_cast<std::size_t>(written);
  if (done == octets.size()) return;
  auto rest = std::make_unique<Write>();
  rest->octets = octets.substr(done);
  rest->request.data = rest.get();
  buffer = uv_buf_init(rest->octets.data(), static_cast<unsigned>(rest->octets.size()));
  const int status =
      uv_write(&rest->request, stream(), &buffer, 1, [](uv_write_t* request, int code) {
        const std::unique_ptr<Write> ended(static_cast<Write*>(request->data));
        static_cast<HttpConnection*>(request->handle->data)->on_written(code);
      });
  if (status != 0) return close();
  [[maybe_unused]] const auto* with_libuv = rest.release();
  ++writes_;
}

void HttpConnection::on_written(int status) {
  --writes_;
  if (phase_ == Phase::Closed) return;
  if (status != 0) return close();
  if (phase_ == Phase::Streaming) return pump(number_);
  if (phase_ != Phase::Writing || writes_ > 0) return;
  end_response();
  if (phase_ == Phase::Reading) run();
}

void HttpConnection::end_response() {
  if (close_after_) return linger();
  phase_ = Phase::Reading;
}

// Closing at once would make the kernel send a reset when unread octets are left, and the client
// might lose the response to it (RFC 9112 section 9.6).
void HttpConnection::linger() {
  if (ended_) return close();
  phase_ = Phase::Lingering;
  uv_shutdown(&shutdown_, stream(), [](uv_shutdown_t*, int) {});
  if (paused_) uv_read_start(stream(), stream_.stream.alloc_cb, stream_.stream.read_cb);
  paused_ = false;
  arm(Deadline::Linger);
}

// --- its end ---

void HttpConnection::finish() {
  finishing_ = true;
  if (phase_ == Phase::Reading) run();
  if (phase_ == Phase::Streaming) end_stream();
}

void HttpConnection::close() {
  if (phase_ == Phase::Closed) return;
  // What a client does not take, the kernel would keep for minutes after an ordinary close.
  if (writes_ > 0) {
    const struct linger reset { 1, 0 };
    uv_os_fd_t descriptor = -1;
    uv_fileno(&stream_.handle, &descriptor);
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  phase_ = Phase::Closed;
  content_.reset();
  uv_close(&stream_.handle, on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), on_closed);
}

void HttpConnection::on_closed(uv_handle_t* handle) {
  auto* self = static_cast<HttpConnection*>(handle->data);
  if (--self->open_handles_ == 0) self->server_.forget(self->id_, self->local_);
}

// It may have been started for a deadline from before.
void HttpConnection::on_timer() {
  if (deadline_ == Deadline::None) return;
  const std::uint64_t now = uv_now(server_.loop_);
  if (now >= due_) return on_deadline();
  start_timer(due_ - now);
}

void HttpConnection::on_deadline() {
  const Deadline passed = std::exchange(deadline_, Deadline::None);
  const bool half_a_request =
      passed == Deadline::Body || (passed == Deadline::Head && parser_.waiting() > 0);
  if (!half_a_request) return close();
  close_after_ = true;
  answer(problem(408, "the request did not arrive in time"));
}

// The time of what is waited for already goes on: octets that trickle in don't lengthen it. A timer
// that goes off earlier is left alone, and looks then: to move it among those of all connections
// costs more than all else here.
void HttpConnection::arm(Deadline deadline) {
  if (deadline_ == deadline || phase_ == Phase::Closed) return;
  deadline_ = deadline;
  const HttpLimits& limits = server_.limits_;
  std::chrono::milliseconds time{0};
  switch (deadline) {
    case Deadline::None:
      return;
    case Deadline::Idle:
      time = limits.idle;
      break;
    case Deadline::Head:
      time = limits.head_time;
      break;
    case Deadline::Body:
      time = limits.body_time;
      break;
    case Deadline::Write:
      time = limits.write_time;
      break;
    case Deadline::Linger:
      time = limits.linger_time;
      break;
  }
  const auto left = static_cast<std::uint64_t>(time.count());
  due_ = uv_now(server_.loop_) + left;
  const bool looks_in_time = uv_is_active(reinterpret_cast<uv_handle_t*>(&timer_)) != 0 &&
                             uv_timer_get_due_in(&timer_) <= left;
  if (!looks_in_time) start_timer(left);
}

void HttpConnection::start_timer(std::uint64_t milliseconds) {
  uv_timer_start(
      &timer_, [](uv_timer_t* timer) { static_cast<HttpConnection*>(timer->data)->on_timer(); },
      milliseconds, 0);
}

}  // namespace sluice::health
