#include "config/base/tls_stream.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "config/base/openssl.h"

namespace sluice::base {

// What OpenSSL takes for a socket (a BIO): the octets of the call that is under way. Its own
// memory BIOs would keep the largest buffer that they ever needed.
struct TlsStreamOctets {
  static int read(BIO* bio, char* octets, int size) {
    auto& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (stream.in_.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t taken = std::min(stream.in_.size(), static_cast<std::size_t>(size));
    stream.in_.copy(octets, taken);
    stream.in_.remove_prefix(taken);
    return static_cast<int>(taken);
  }
  static int write(BIO* bio, const char* octets, int size) {
    const auto& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    assert(stream.out_ != nullptr);
    stream.out_->append(octets, static_cast<std::size_t>(size));
    return size;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  // For the whole process; never freed, as little as OpenSSL itself.
  static const BIO_METHOD* method() {
    static const BIO_METHOD* const kMethod = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "octets");
      BIO_meth_set_read(made, read);
      BIO_meth_set_write(made, write);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    return kMethod;
  }
};

namespace {

// One record's content (RFC 8446 section 5.1).
constexpr std::size_t kRecord = 16'384;

}  // namespace

TlsStream::TlsStream(std::shared_ptr<const TlsContext> context)
    : context_(std::move(context)), native_(SSL_new(context_->native())) {
  BIO* bio = native_ == nullptr ? nullptr : BIO_new(TlsStreamOctets::method());
  if (bio == nullptr) {
    state_ = State::Failed;
    return;
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(native_, bio, bio);
  SSL_set_accept_state(native_);
}

TlsStream::~TlsStream() {
  SSL_free(native_);
}

TlsStream::State TlsStream::receive(std::string_view octets, std::string& plain, std::string& out) {
  if (state_ == State::Failed || octets.empty()) return state_;
  // A record of a handshake begins with 22, a request with a method's capital letter.
  if (!std::exchange(begun_, true) && octets.front() >= 'A' && octets.front() <= 'Z') {
    state_ = State::Failed;
    failure_ = Failure::PlainHttp;
    return state_;
  }
  in_ = octets;
  out_ = &out;
  if (state_ == State::Handshaking) shake_hands();
  if (state_ == State::Open) read(plain);
  in_ = {};
  out_ = nullptr;
  return state_;
}

void TlsStream::shake_hands() {
  ERR_clear_error();
  const int done = SSL_do_handshake(native_);
  if (done == 1) {
    state_ = State::Open;
    opened_ = true;
  } else if (SSL_get_error(native_, done) != SSL_ERROR_WANT_READ) {
    fail();
  }
}

void TlsStream::read(std::string& plain) {
  std::array<char, kRecord> record;
  while (true) {
    ERR_clear_error();
    std::size_t size = 0;
    const int done = SSL_read_ex(native_, record.data(), record.size(), &size);
    if (done == 1) {
      plain.append(record.data(), size);
      continue;
    }
    switch (SSL_get_error(native_, done)) {
      case SSL_ERROR_WANT_READ:
        return;
      case SSL_ERROR_ZERO_RETURN:
        state_ = State::PeerEnded;
        return;
      default:
        return fail();
    }
  }
}

void TlsStream::fail() {
  state_ = State::Failed;
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  ERR_clear_error();
  const bool of_certificate = SSL_get_verify_result(native_) != X509_V_OK ||
                              reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE ||
                              reason == SSL_R_CERTIFICATE_VERIFY_FAILED;
  failure_ = of_certificate ? Failure::ClientCertificate : Failure::Protocol;
}

void TlsStream::send(std::string_view plain, std::string& out) {
  if (plain.empty() || (state_ != State::Open && state_ != State::PeerEnded)) return;
  out.reserve(out.size() + plain.size() + plain.size() / 256 + 64);  // some 30 octets a record
  out_ = &out;
  ERR_clear_error();
  std::size_t written = 0;
  const int done = SSL_write_ex(native_, plain.data(), plain.size(), &written);
  out_ = nullptr;
  // There is always room. What fails here has failed for good, or waits for the rest of what the
  // peer began to say to TLS itself: it can't be answered before, and nobody means to do that.
  if (done != 1 || written != plain.size()) fail();
}

void TlsStream::end(std::string& out) {
  const bool is_open = state_ == State::Open || state_ == State::PeerEnded;
  if (!is_open || std::exchange(ended_, true)) return;
  out_ = &out;
  ERR_clear_error();
  SSL_shutdown(native_);
  ERR_clear_error();
  out_ = nullptr;
}

bool TlsStream::resumed() const noexcept {
  return SSL_session_reused(native_) == 1;
}

std::shared_ptr<const CertificateHolder> TlsStream::client() const {
  X509* certificate = native_ == nullptr ? nullptr : SSL_get0_peer_certificate(native_);
  if (certificate == nullptr || SSL_get_verify_result(native_) != X509_V_OK) return nullptr;
  return std::make_shared<const CertificateHolder>(holder_of(certificate));
}

}  // namespace sluice::base
