// A connection's TLS: its handshake, in turns, and what it makes of what comes.

#include <utility>

#include <poll.h>

#include "health/api/http_connection.h"

namespace sluice::health {
namespace {

constexpr const char* kSpeakTls = "This port speaks TLS: ask by https:// in place of http://\n";

}  // namespace

// Something has come that belongs to the handshake, or the client has gone.
void HttpConnection::handshake_wants_turn() {
  uv_read_stop(stream());
  if (!tls_ && hung_up()) return close();
  queued_ = true;
  if (!tls_) arm(Deadline::None);  // it waits for us
  server_.handshakes_->ready(id_);
}

// What a client said before it left may still be there: it is not worth a signature. (Once that is
// made, the end of what it says may be that of its request.)
bool HttpConnection::hung_up() const {
  uv_os_fd_t descriptor = -1;
  uv_fileno(&stream_.handle, &descriptor);
  pollfd look{descriptor, POLLRDHUP, 0};
  return ::poll(&look, 1, 0) > 0;
}

void HttpConnection::take_turn() {
  if (phase_ != Phase::Handshaking) return;
  if (!tls_ && hung_up()) return close();
  if (!tls_) {
    tls_ = std::make_unique<TlsChannel>(server_.tls_now_());
    arm(Deadline::Handshake);
  }
  has_turn_ = true;
  start_reading();
}

void HttpConnection::give_way() {
  end_handshake(HandshakeEnd::GaveWay);
  close();
}

void HttpConnection::end_handshake(HandshakeEnd how) {
  if (std::exchange(queued_, false)) server_.handshakes_->end(id_, how);
}

void HttpConnection::on_handshake(std::string_view octets) {
  has_turn_ = false;
  std::string& plain = server_.plain_;
  std::string out;
  plain.clear();
  base::TlsStream& tls = tls_->stream();
  const base::TlsStream::State state = tls.receive(octets, plain, out);
  if (!out.empty()) send(std::move(out));
  if (phase_ == Phase::Closed || state == base::TlsStream::State::Handshaking) return;
  if (state == base::TlsStream::State::Failed && !tls.opened()) return on_handshake_failed();
  end_handshake(tls.resumed() ? HandshakeEnd::Resumed : HandshakeEnd::Full);
  peer_.certificate = tls.client();
  phase_ = Phase::Reading;
  arm(Deadline::Head);
  take_plain(state);
}

// The alert is on its way, and an early end would take it from the client.
void HttpConnection::on_handshake_failed() {
  switch (tls_->stream().failure()) {
    case base::TlsStream::Failure::Protocol:
      end_handshake(HandshakeEnd::Protocol);
      return linger();
    case base::TlsStream::Failure::ClientCertificate:
      end_handshake(HandshakeEnd::ClientCertificate);
      return linger();
    case base::TlsStream::Failure::PlainHttp:
      end_handshake(HandshakeEnd::PlainHttp);
      tls_.reset();
      close_after_ = true;
      return answer({400, "text/plain; charset=utf-8", kSpeakTls, {}, true, nullptr});
  }
}

void HttpConnection::on_ciphertext(std::string_view octets) {
  std::string& plain = server_.plain_;
  std::string out;
  plain.clear();
  const base::TlsStream::State state = tls_->stream().receive(octets, plain, out);
  // What TLS itself has to say (an update of keys, an alert).
  const bool spoke = !out.empty();
  if (spoke) send(std::move(out));
  if (phase_ != Phase::Closed) take_plain(state);
  // Whoever makes TLS speak must read it, too.
  const bool goes_on = phase_ != Phase::Closed && phase_ != Phase::Lingering && !ended_;
  if (spoke && goes_on && writes_ > 0 && !paused_) {
    uv_read_stop(stream());
    paused_ = true;
  }
}

void HttpConnection::take_plain(base::TlsStream::State state) {
  if (!server_.plain_.empty()) take(server_.plain_);
  if (phase_ == Phase::Closed || phase_ == Phase::Lingering) return;
  if (state == base::TlsStream::State::Failed) return close();
  if (state == base::TlsStream::State::PeerEnded) on_end_of_input();
}

// Whether its client would be asked for another certificate today.
bool HttpConnection::asked_otherwise() const {
  if (!tls_) return false;
  const auto now = server_.tls_now_();
  return now != nullptr && !now->same_clients(tls_->stream().context());
}

// Without it the peer could not tell the end from a cut (RFC 8446 section 6.1).
void HttpConnection::say_goodbye() {
  if (!tls_) return;
  std::string octets;
  tls_->stream().end(octets);
  if (!octets.empty()) send(std::move(octets));
}

}  // namespace sluice::health
