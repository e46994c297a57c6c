#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/openssl.h"

// Certificates and keys as files have them (PEM, RFC 7468), and what they say. Any thread.
namespace sluice::tls {

using X509Ptr = base::OpenSslOwner<X509>;
using KeyPtr = base::OpenSslOwner<EVP_PKEY>;

// All that stand in the text, at least one; other PEM blocks between them are left alone. Errors
// here and below go on where "FILE " ends: "holds no certificate ...".
base::Checked<std::vector<X509Ptr>> parse_certificates(std::string_view pem);
// The first. One that a passphrase protects is an error: there is nobody to type it.
base::Checked<KeyPtr> parse_key(std::string_view pem);

bool belong_together(const X509* certificate, const EVP_PKEY* key);

// What a certificate says of itself, of its form alone: nothing here judges a signature.
struct Facts {
  std::string subject;             // the common name; without one all of the subject; may be empty
  std::vector<std::string> names;  // subject alternative names: DNS, addresses, mail, URIs
  base::WallTime not_before;
  base::WallTime not_after;
  std::string serial;  // lower-case hex
  bool authority = false;
  bool for_servers = false;
  bool for_clients = false;
};
Facts facts_of(const X509* certificate);

// "2027-03-01": of validity the day is enough, in UTC.
std::string day_of(base::WallTime time);

}  // namespace sluice::tls
