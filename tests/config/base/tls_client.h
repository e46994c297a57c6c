#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "config/base/openssl.h"
#include "tests/config/base/certificates.h"

namespace sluice::base::testing {

// The client's side of TLS, octets in and out. It trusts anybody.
class TlsClient {
 public:
  TlsClient() : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) {
      auto& self = *static_cast<TlsClient*>(SSL_get_app_data(ssl));
      if (self.session_ != nullptr) SSL_SESSION_free(self.session_);
      self.session_ = session;
      return 1;
    });
    begin();
  }
  ~TlsClient() { SSL_SESSION_free(session_); }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Before the first octet: of the library's own.
  SSL* native() { return native_.get(); }
  void show(const Certified& certified) {
    SSL_CTX_use_certificate(context_.get(), certified.certificate());
    SSL_CTX_use_PrivateKey(context_.get(), certified.key());
    begin();
  }
  void speak(int version) {
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    begin();
  }
  // A new connection, with the session of the one before.
  void again() {
    // Else the session is taken for one that broke.
    SSL_set_shutdown(native_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    begin();
    if (session_ != nullptr) SSL_set_session(native_.get(), session_);
  }
  bool resumed() const { return SSL_session_reused(native_.get()) == 1; }
  bool has_session() const { return session_ != nullptr; }

  // Takes what came; what is to be sent.
  std::string go_on(std::string_view octets) {
    if (!octets.empty()) {
      BIO_write(SSL_get_rbio(native_.get()), octets.data(), static_cast<int>(octets.size()));
    }
    ERR_clear_error();
    if (SSL_do_handshake(native_.get()) == 1) {
      char record[16'384];
      int size = 0;
      while ((size = SSL_read(native_.get(), record, sizeof record)) > 0) {
        received_.append(record, static_cast<std::size_t>(size));
      }
    }
    return take();
  }
  std::string say(std::string_view plain) {
    SSL_write(native_.get(), plain.data(), static_cast<int>(plain.size()));
    return take();
  }
  std::string goodbye() {
    SSL_shutdown(native_.get());
    return take();
  }
  bool connected() const { return SSL_is_init_finished(native_.get()) == 1; }
  bool told_goodbye() const {
    return (SSL_get_shutdown(native_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  std::string received() { return std::exchange(received_, {}); }

 private:
  void begin() {
    native_.reset(SSL_new(context_.get()));
    SSL_set_app_data(native_.get(), this);
    SSL_set_bio(native_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(native_.get());
  }
  std::string take() {
    BIO* bio = SSL_get_wbio(native_.get());
    std::string octets(BIO_ctrl_pending(bio), '\0');
    BIO_read(bio, octets.data(), static_cast<int>(octets.size()));
    return octets;
  }

  OpenSslOwner<SSL_CTX> context_;
  OpenSslOwner<SSL> native_;
  SSL_SESSION* session_ = nullptr;
  std::string received_;
};

}  // namespace sluice::base::testing
