// What a client sends, from octets to a request that somebody works on.

#include <utility>

#include "health/api/http_connection.h"
#include "health/api/problem.h"
#include "health/api/shedding.h"

namespace sluice::health {

void HttpConnection::start_reading() {
  const int status = uv_read_start(
      stream(),
      [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
        auto& self = *static_cast<HttpConnection*>(handle->data);
        // What belongs to a handshake stays in the kernel until its turn.
        const bool waits = self.phase_ == Phase::Handshaking && !self.has_turn_;
        std::vector<char>& shared = self.server_.read_buffer_;
        *buffer = uv_buf_init(shared.data(), waits ? 0 : static_cast<unsigned>(shared.size()));
      },
      [](uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
        static_cast<HttpConnection*>(stream->data)->on_read(size, buffer->base);
      });
  if (status != 0) close();
}

void HttpConnection::on_read(ssize_t size, const char* octets) {
  if (size == 0 || phase_ == Phase::Closed) return;
  if (size == UV_ENOBUFS) return handshake_wants_turn();
  if (size < 0) {
    // A client may close its side and still read (RFC 9112 section 9.6); an error ends both.
    if (size != UV_EOF || phase_ == Phase::Handshaking) return close();
    return on_end_of_input();
  }
  if (phase_ == Phase::Lingering) return;
  const std::string_view read(octets, static_cast<std::size_t>(size));
  if (phase_ == Phase::Handshaking) return on_handshake(read);
  if (tls_) return on_ciphertext(read);
  take(read);
}

void HttpConnection::on_end_of_input() {
  uv_read_stop(stream());
  ended_ = true;
  if (phase_ == Phase::Lingering || phase_ == Phase::Streaming) return close();
  if (phase_ == Phase::Reading) run();
}

void HttpConnection::take(std::string_view octets) {
  parser_.feed(octets);
  if (phase_ == Phase::Reading) run();
  if (!account() || phase_ == Phase::Reading) return;
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
        if (server_.shedding() && !stays() && parser_.held() > kSmallRequest) {
          close_after_ = true;
          answer(memory_is_short());
          break;
        }
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
        head_only_ = false;
        answer(problem(parser_.error().status, parser_.error().detail));
        break;
    }
  }
  running_ = false;
}

// What it holds beyond its own part is taken from what all have together. Whether that is enough:
// if not, it is over, and with it what it held.
bool HttpConnection::account() {
  if (phase_ == Phase::Closed) return false;
  const std::size_t held = parser_.held() + octets_in_work_;
  const std::size_t own = server_.limits_.own_octets;
  server_.octets_ -= octets_;
  octets_ = held > own ? held - own : 0;
  server_.octets_ += octets_;
  if (octets_ == 0 || server_.octets_ <= server_.limits_.octets) return true;
  if (phase_ != Phase::Reading) {
    close();
    return false;
  }
  HttpResponse response =
      problem(503, "too many requests are half here: send this one again in a moment");
  response.fields.emplace_back("Retry-After", "1");
  close_after_ = true;
  head_only_ = false;
  parser_.drop();
  answer(std::move(response));
  return account();
}

void HttpConnection::wait_for(Deadline deadline) {
  if (ended_) return close();
  go_on_reading();
  arm(deadline);
}

void HttpConnection::go_on_reading() {
  if (!std::exchange(paused_, false)) return;
  start_reading();
}

void HttpConnection::begin_request() {
  const HttpRequest& head = parser_.request();
  ++number_;
  arm(Deadline::None);
  head_only_ = head.method == Method::Head;
  takes_chunks_ = head.takes_chunks;
  close_after_ = !head.keep_alive || finishing_ || asked_otherwise();
  const bool has_body = head.has_body;
  const bool expects_continue = head.expects_continue;
  auto accepted = server_.on_head_(head, peer_);
  note_agent(peer_.who && peer_.who->role == config::Role::Agent);
  if (server_.shedding() && !stays()) close_after_ = true;
  if (!local_) {
    if (peer_.who) {
      server_.strangers_.erase(id_);
    } else {
      server_.strangers_.insert(id_);
    }
  }
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

void HttpConnection::note_agent(bool agents) {
  if (local_ || agents == agents_) return;
  agents_ = agents;
  agents ? ++server_.agents_ : --server_.agents_;
}

void HttpConnection::work() {
  std::string body = parser_.take().body;
  octets_in_work_ = body.capacity();
  phase_ = Phase::Working;
  arm(Deadline::None);  // of its body
  const auto proceed = std::exchange(continue_, nullptr);
  // The server, not the connection: that may be gone when the response comes.
  proceed(std::move(body),
          [&server = server_, id = id_, local = local_, number = number_](HttpResponse response) {
            server.respond(id, local, number, std::move(response));
          });
}

}  // namespace sluice::health
