#include "health/api/http_connection.h"

#include <algorithm>
#include <utility>

#include <sys/socket.h>

#include "config/base/address.h"
#include "health/api/http_octets.h"
#include "health/api/problem.h"
#include "health/api/unix_listener.h"

namespace sluice::health {

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

void HttpConnection::start(base::FileDescriptor socket) {
  const int opened =
      local_ ? uv_pipe_open(&stream_.pipe, socket.get()) : uv_tcp_open(&stream_.tcp, socket.get());
  if (opened != 0) return close();
  [[maybe_unused]] const int with_libuv = socket.release();
  peer_ = peer();
  if (!local_) {
    counted_ = server_.addresses_.enter(peer_.ip, server_.most_per_address());
    if (!counted_) return turn_away();
    server_.strangers_.insert(id_);
    uv_tcp_nodelay(&stream_.tcp, 1);
    if (server_.tls_now_() != nullptr) phase_ = Phase::Handshaking;
  }
  start_reading();
  // Who connects has something to say: a silent client keeps its place for as long as a slow one.
  arm(Deadline::Head);
}

// Too many of its address are there: the rest of the world must not wait for its next ones in the
// kernel's queue. It hears why, if that is possible at once, and costs nothing more.
void HttpConnection::turn_away() {
  // A handshake would cost more than a reset tells.
  if (server_.tls_now_() != nullptr) return close();
  HttpResponse response =
      problem(503,
              "too many connections of this address are open: close some, or raise "
              "api.connections_per_address");
  response.fields.emplace_back("Retry-After", "1");
  response.close = true;
  const std::string octets = to_octets(response, false, true, server_.clock_.now().wall);
  uv_os_fd_t descriptor = -1;
  uv_fileno(&stream_.handle, &descriptor);
  // What is unread when it is closed would make the kernel send a reset, which takes the response
  // from the client again.
  std::vector<char>& unread = server_.read_buffer_;
  [[maybe_unused]] const ssize_t read =
      ::recv(descriptor, unread.data(), unread.size(), MSG_DONTWAIT);
  [[maybe_unused]] const ssize_t sent =
      ::send(descriptor, octets.data(), octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  close();
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
  if (!address) return {false, "unknown", ""};
  Peer peer{false, address->to_string(), ""};
  peer.ip = address->address;
  return peer;
}

std::optional<std::uint64_t> HttpConnection::idle_until() const noexcept {
  if (phase_ != Phase::Reading || deadline_ != Deadline::Idle) return std::nullopt;
  return due_;
}

// Who waits for us does not: it is we who are late.
bool HttpConnection::may_give_way() const noexcept {
  return phase_ != Phase::Handshaking || !queued_;
}

void HttpConnection::finish() {
  finishing_ = true;
  if (phase_ == Phase::Handshaking) return close();
  if (phase_ == Phase::Reading) run();
  if (phase_ == Phase::Streaming) end_stream();
}

void HttpConnection::reconsider() {
  if (phase_ == Phase::Streaming && asked_otherwise()) end_stream();
}

void HttpConnection::shed() {
  if (stays()) return;
  switch (phase_) {
    case Phase::Handshaking:
      return;  // it may be an agent that comes back; few are let in, and each has its time
    case Phase::Lingering:
      return close();
    case Phase::Reading:
      // An order on its way is small; what is not has to go.
      if (!continue_ || parser_.held() > kSmallRequest) return close();
      close_after_ = true;
      return;
    case Phase::Working:
      close_after_ = true;
      return;
    case Phase::Writing:
      close_after_ = true;
      // Who takes a large page slowly has most of it here.
      if (uv_stream_get_write_queue_size(stream()) > kStreamSendOctets || (tls_ && tls_->waits())) {
        close();
      }
      return;
    case Phase::Streaming:
      return end_stream();
    case Phase::Closed:
      return;
  }
}

void HttpConnection::close() {
  if (phase_ == Phase::Closed) return;
  if (phase_ == Phase::Handshaking) end_handshake(HandshakeEnd::Gone);
  if (phase_ == Phase::Working) ++server_.abandoned_of(local_);
  // What a client does not take, the kernel would keep for minutes after an ordinary close.
  if (writes_ == 0) {
    const Phase before = std::exchange(phase_, Phase::Closed);
    if (before != Phase::Handshaking && before != Phase::Lingering) say_goodbye();
  } else {
    const struct linger reset { 1, 0 };
    uv_os_fd_t descriptor = -1;
    uv_fileno(&stream_.handle, &descriptor);
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  phase_ = Phase::Closed;
  uncount();
  count_unsent();
  content_.reset();
  uv_close(&stream_.handle, on_closed);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_), on_closed);
}

void HttpConnection::uncount() {
  server_.octets_ -= std::exchange(octets_, 0);
  server_.strangers_.erase(id_);
  if (std::exchange(counted_, false)) server_.addresses_.leave(peer_.ip);
}

void HttpConnection::on_closed(uv_handle_t* handle) {
  auto* self = static_cast<HttpConnection*>(handle->data);
  if (--self->open_handles_ == 0) self->server_.forget(*self);
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
  if (phase_ == Phase::Handshaking) {
    end_handshake(HandshakeEnd::TimedOut);
    return close();
  }
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
    case Deadline::Handshake:
      time = limits.handshake_time;
      break;
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
  const bool waits_for_word = deadline == Deadline::Handshake || deadline == Deadline::Head;
  if (waits_for_word && server_.shedding() && !stays()) {
    time = std::min(time, limits.time_when_short);
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
