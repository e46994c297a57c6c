#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "config/base/result.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace sluice::base {

// Where the server's side of TLS comes from: paths of PEM files.
struct TlsFiles {
  std::string certificate;  // the server's own first, then those between it and a root
  std::string key;          // of the first certificate
  std::string client_ca;    // who may have signed a client's certificate; empty: none is asked for

  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

enum class ClientCertificates : std::uint8_t { Required, Optional };

// What is wrong, or soon will be, with one of the files: "has expired on 2026-01-01".
struct TlsFinding {
  enum class File : std::uint8_t { Certificate, Key, ClientCa };
  File file = File::Certificate;
  std::string message;

  friend bool operator==(const TlsFinding&, const TlsFinding&) = default;
};

// The server's side of TLS, all that connections share: certificate, key, whom it trusts, and what
// it speaks. TLS 1.2 with ephemeral keys and authenticated ciphers alone, and TLS 1.3; no
// renegotiation, no compression, no early data. Made of files once and never changed; a reload
// makes another one. Any thread.
//
// Sessions are resumed by tickets that the clients keep, so that nothing is kept here. The keys of
// the tickets are this object's: with a new one everybody shows a certificate again.
class TlsContext {
 public:
  // All that is wrong with the files, or the context. What will be wrong one day is a warning.
  static Result<std::shared_ptr<const TlsContext>, std::vector<TlsFinding>> load(
      const TlsFiles& files, ClientCertificates clients, WallTime now);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // As of load(): it works, but not for everybody, or not for long.
  const std::vector<TlsFinding>& warnings() const noexcept { return warnings_; }
  // The end of the server's certificate.
  WallTime certificate_end() const noexcept { return certificate_end_; }

  // Whether the files had the same octets, and the same is asked of clients.
  bool same_as(const TlsContext& other) const noexcept;
  // Whether a client whose certificate the other one has verified would be asked the same here.
  bool same_clients(const TlsContext& other) const noexcept;

  ssl_ctx_st* native() const noexcept { return native_; }

 private:
  using Digest = std::array<std::uint8_t, 32>;
  friend class TlsContextLoader;

  TlsContext() = default;

  ssl_ctx_st* native_ = nullptr;
  std::vector<TlsFinding> warnings_;
  WallTime certificate_end_;
  ClientCertificates clients_ = ClientCertificates::Required;
  Digest own_{};        // of certificate and key
  Digest client_ca_{};  // zeroes: none
};

}  // namespace sluice::base
