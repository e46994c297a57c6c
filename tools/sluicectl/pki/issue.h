#pragma once

#include <string>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "tools/sluicectl/pki/names.h"
#include "tools/tls/certificate.h"

// Keys and certificates (RFC 5280) by OpenSSL: nothing here reads or writes a file.
namespace sluice::ctl::pki {

// From an hour ago, for hosts whose clocks are behind, to its end.
struct Validity {
  base::WallTime not_before;
  base::WallTime not_after;
};
Validity valid_for(std::chrono::days days, base::WallTime now);

// How long a certificate is valid where nobody says: an authority for ten years, since whoever
// believes it has to be told of the next one; a server and its agents for a bit over two years; a
// person for one.
std::chrono::days default_days(Kind kind);
// From when on `pki renew --due` takes it: in the last third of its time.
bool is_due(const Validity& validity, base::WallTime now);

// ECDSA on P-256: half of the world's, quick on both ends, 128 bits of strength.
base::Checked<tls::KeyPtr> make_key();
// PKCS #8, PEM, without a passphrase.
std::string pem_of(const EVP_PKEY* key);
std::string pem_of(const X509* certificate);
// SHA-256 of the certificate's octets, as `openssl x509 -fingerprint` shows it.
std::string fingerprint_of(const X509* certificate);

// An authority with its own signature. It signs for ends alone, not for further authorities
// (pathLenConstraint 0).
base::Checked<tls::X509Ptr> make_authority(const std::string& name, EVP_PKEY* key,
                                           const Validity& validity);

struct Issuer {
  const X509* certificate = nullptr;
  EVP_PKEY* key = nullptr;
};
// A certificate for the holder's key, signed by the issuer: for TLS servers (serverAuth) or for
// clients (clientAuth), never for both.
base::Checked<tls::X509Ptr> make_certificate(const Holder& holder, EVP_PKEY* key,
                                             const Issuer& issuer, const Validity& validity);

}  // namespace sluice::ctl::pki
