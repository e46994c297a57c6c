#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "config/base/certificate.h"
#include "config/base/tls_context.h"

struct ssl_st;  // OpenSSL's SSL

namespace sluice::base {

// The server's side of one TLS connection, without its socket: what came in goes in as octets, what
// is to be sent comes out as octets. Nothing is kept between two calls but what TLS needs. One
// thread at a time.
class TlsStream {
 public:
  enum class State : std::uint8_t {
    Handshaking,
    Open,
    PeerEnded,  // by close_notify: it sends no more, and may still be sent to
    Failed,     // failure() says how; what is left to send tells the peer
  };
  enum class Failure : std::uint8_t {
    Protocol,           // no TLS, none that is spoken here, or broken
    ClientCertificate,  // missing, not trusted, expired
    PlainHttp,          // a request without TLS; nothing was answered yet
  };

  explicit TlsStream(std::shared_ptr<const TlsContext> context);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // Takes what has come. Appends what it said to `plain`, never more octets than came, and what is
  // to be sent because of it to `out`. May be called in any state.
  State receive(std::string_view octets, std::string& plain, std::string& out);
  // Appends what is to be sent for `plain`; nothing, and the state is Failed, when the peer can't
  // be told any more. What it sends may break the stream at any moment: look at state() afterwards.
  void send(std::string_view plain, std::string& out);
  // Says that nothing more will be sent (close_notify), if there is somebody to say it to.
  void end(std::string& out);

  State state() const noexcept { return state_; }
  Failure failure() const noexcept { return failure_; }
  // Whether the handshake was over, well, before what failed.
  bool opened() const noexcept { return opened_; }
  // Of a handshake that is over: whether it went on with a session from before.
  bool resumed() const noexcept;
  // The verified certificate that the client has shown, now or in the session from before; null:
  // none. Open once.
  std::shared_ptr<const CertificateHolder> client() const;
  const TlsContext& context() const noexcept { return *context_; }

 private:
  friend struct TlsStreamOctets;

  void shake_hands();
  void read(std::string& plain);
  void fail();

  std::shared_ptr<const TlsContext> context_;
  ssl_st* native_ = nullptr;
  State state_ = State::Handshaking;
  Failure failure_ = Failure::Protocol;
  bool begun_ = false;
  bool opened_ = false;
  bool ended_ = false;  // close_notify was sent
  // Of the call that is under way.
  std::string_view in_;
  std::string* out_ = nullptr;
};

}  // namespace sluice::base
