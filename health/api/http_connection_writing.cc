// What a client is sent: responses, streams, and the end that it can tell from a cut.

#include <memory>
#include <utility>

#include "health/api/http_connection.h"
#include "health/api/http_octets.h"
#include "health/api/problem.h"

namespace sluice::health {
namespace {

struct Write {
  uv_write_t request{};
  std::string octets;
};

}  // namespace

bool HttpConnection::respond(std::uint64_t number, HttpResponse response) {
  if (phase_ != Phase::Working || number != number_) return false;
  octets_in_work_ = 0;
  answer(std::move(response));
  if (phase_ == Phase::Reading) run();
  account();
  return true;
}

void HttpConnection::answer(HttpResponse response) {
  // Where there are no chunks, the connection's end is the content's.
  const bool ends_it = response.stream && !takes_chunks_;
  response.close = response.close || close_after_ || finishing_ || ends_it;
  close_after_ = response.close;
  constexpr std::size_t kAlwaysGiven = 4 * 1024;
  const std::size_t unsent = server_.unsent_octets_;
  if (unsent > 0 && response.body.size() > kAlwaysGiven &&
      unsent + response.body.size() > server_.limits_.unsent_octets) {
    const bool close = response.close;
    response = problem(503, "others have not taken their responses yet: try again in a moment");
    response.fields.emplace_back("Retry-After", "1");
    response.close = close;
  }
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
  if (!tls_) return send(std::move(octets));
  tls_->put(std::move(octets));
  flush();
  count_unsent();
}

// What the client has not taken, of all clients together.
void HttpConnection::count_unsent() {
  const std::size_t before = unsent_;
  unsent_ = phase_ == Phase::Closed ? 0 : under_way_ + (tls_ ? tls_->held() : 0);
  server_.unsent_octets_ += unsent_;
  server_.unsent_octets_ -= before;
}

// As much as the kernel takes.
void HttpConnection::flush() {
  while (tls_ && tls_->waits() && writes_ == 0 && phase_ != Phase::Closed) {
    std::string octets = tls_->next();
    // What came behind a request may have broken TLS before its response.
    if (tls_->stream().state() == base::TlsStream::State::Failed) return close();
    send(std::move(octets));
  }
}

void HttpConnection::send(std::string octets) {
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
        auto& self = *static_cast<HttpConnection*>(request->handle->data);
        self.under_way_ -= ended->octets.size();
        self.count_unsent();
        self.on_written(code);
      });
  if (status != 0) return close();
  under_way_ += rest->octets.size();
  count_unsent();
  [[maybe_unused]] const auto* with_libuv = rest.release();
  ++writes_;
}

void HttpConnection::on_written(int status) {
  --writes_;
  if (phase_ == Phase::Closed) return;
  if (status != 0) return close();
  flush();
  count_unsent();
  if (phase_ == Phase::Streaming) pump(number_);
  if (writes_ > 0 || phase_ == Phase::Closed || phase_ == Phase::Lingering) return;
  if (phase_ == Phase::Writing) {
    end_response();
    if (phase_ == Phase::Reading) run();
    account();
  } else if (tls_ && !ended_ && parser_.waiting() <= server_.limits_.pipelined) {
    go_on_reading();
  }
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
  say_goodbye();
  if (phase_ != Phase::Lingering) return;
  uv_shutdown(&shutdown_, stream(), [](uv_shutdown_t*, int) {});
  go_on_reading();
  arm(Deadline::Linger);
}

}  // namespace sluice::health
