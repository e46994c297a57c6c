#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// Owners of OpenSSL's objects, the only ones, for the sources that speak to it; headers of config
// and health name its types by declarations of their own.
namespace sluice::base {

struct FreeOpenSsl {
  void operator()(BIO* object) const noexcept { BIO_free_all(object); }
  void operator()(BIGNUM* object) const noexcept { BN_free(object); }
  void operator()(EVP_MD* object) const noexcept { EVP_MD_free(object); }
  void operator()(EVP_MD_CTX* object) const noexcept { EVP_MD_CTX_free(object); }
  void operator()(EVP_PKEY* object) const noexcept { EVP_PKEY_free(object); }
  void operator()(SSL* object) const noexcept { SSL_free(object); }
  void operator()(SSL_CTX* object) const noexcept { SSL_CTX_free(object); }
  void operator()(SSL_SESSION* object) const noexcept { SSL_SESSION_free(object); }
  void operator()(X509* object) const noexcept { X509_free(object); }
  void operator()(X509_EXTENSION* object) const noexcept { X509_EXTENSION_free(object); }
  void operator()(GENERAL_NAMES* object) const noexcept { GENERAL_NAMES_free(object); }
};

template <class Object>
using OpenSslOwner = std::unique_ptr<Object, FreeOpenSsl>;

// Why the last call failed, in OpenSSL's words; the thread's queue of errors is empty afterwards.
inline std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "an error without a name";
}

}  // namespace sluice::base
