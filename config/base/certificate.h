#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/clock.h"

struct x509_st;  // OpenSSL's X509

// What a certificate (RFC 5280) says of its holder.
namespace sluice::base {

// One name of an extension "subject alternative name". Each kind is a world of its own: an e-mail
// address never stands for a host of the same spelling.
struct SubjectName {
  enum class Kind : std::uint8_t { Dns, Email, Uri };
  Kind kind = Kind::Dns;
  std::string text;  // DNS names in lower case, without a final dot

  friend bool operator==(const SubjectName&, const SubjectName&) = default;
};

// A name as people write it: with a scheme ("spiffe://...") it is a URI, with an @ an e-mail
// address, else a DNS name.
SubjectName subject_name(std::string_view text);

// What is kept of a certificate that was verified.
struct CertificateHolder {
  // The DNS, e-mail and URI names in the certificate's order; of those beyond 64, and of one that
  // is longer than 255 octets or has octets that are not visible ASCII, nothing is kept.
  std::vector<SubjectName> names;
  WallTime not_after;  // its end

  friend bool operator==(const CertificateHolder&, const CertificateHolder&) = default;
};

CertificateHolder holder_of(x509_st* certificate);

// The end and the begin of a certificate's validity; nothing when they can't be read.
std::optional<WallTime> not_after(const x509_st* certificate);
std::optional<WallTime> not_before(const x509_st* certificate);

}  // namespace sluice::base
