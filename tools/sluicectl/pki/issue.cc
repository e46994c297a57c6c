#include "tools/sluicectl/pki/issue.h"

#include <array>
#include <cassert>
#include <cstdint>
#include <vector>

#include <openssl/ec.h>
#include <openssl/rand.h>

#include "config/base/address.h"
#include "config/base/calendar.h"
#include "config/base/openssl.h"

namespace sluice::ctl::pki {
namespace {

using std::chrono::days;
using std::chrono::hours;

using base::OpenSslOwner;

base::Unexpected<base::Error> failed(const std::string& what) {
  return base::failure(what + ": " + base::openssl_reason());
}

template <class Write>
std::string written(Write write) {
  const OpenSslOwner<BIO> bio(BIO_new(BIO_s_mem()));
  assert(bio);  // as the writing, fails for lack of memory alone
  const int done = write(bio.get());
  assert(done == 1);
  static_cast<void>(done);
  const char* octets = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &octets);
  return {octets, static_cast<std::size_t>(size)};
}

// 128 random bits, never zero (RFC 5280 section 4.1.2.2): nobody has to keep count.
bool set_serial(X509* certificate) {
  constexpr std::size_t kOctets = 16;
  std::array<std::uint8_t, kOctets> octets{};
  const OpenSslOwner<BIGNUM> number(BN_new());
  do {
    if (!number || RAND_bytes(octets.data(), octets.size()) != 1) return false;
    BN_bin2bn(octets.data(), octets.size(), number.get());
  } while (BN_is_zero(number.get()) == 1);
  return BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_time(ASN1_TIME* field, base::WallTime time) {
  return ASN1_TIME_set(field, base::to_time_t(time)) != nullptr;
}

// A common name has at most 64 characters (ub-common-name); of a longer one the subject stays
// empty, and the alternative names are critical (RFC 5280 section 4.2.1.6).
constexpr std::size_t kMaxCommonName = 64;

bool set_subject(X509* certificate, const std::string& name) {
  if (name.size() > kMaxCommonName) return true;
  return X509_NAME_add_entry_by_NID(
             X509_get_subject_name(certificate), NID_commonName, MBSTRING_UTF8,
             reinterpret_cast<const unsigned char*>(name.data()),  // NOLINT: C's octets
             static_cast<int>(name.size()), -1, 0) == 1;
}

bool extend(X509* certificate, const X509* issuer, int kind, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, const_cast<X509*>(issuer), certificate, nullptr, nullptr, 0);
  const OpenSslOwner<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

GENERAL_NAME* general_name(const AltName& name) {
  if (name.type == AltName::Type::Address) {
    return a2i_GENERAL_NAME(nullptr, nullptr, nullptr, GEN_IPADD, name.text.c_str(), 0);
  }
  const int type = name.type == AltName::Type::Mail ? GEN_EMAIL : GEN_DNS;
  return a2i_GENERAL_NAME(nullptr, nullptr, nullptr, type, name.text.c_str(), 0);
}

bool add_names(X509* certificate, const Holder& holder) {
  const OpenSslOwner<GENERAL_NAMES> names(GENERAL_NAMES_new());
  if (!names) return false;
  for (const AltName& name : holder.names) {
    GENERAL_NAME* made = general_name(name);
    if (made == nullptr || sk_GENERAL_NAME_push(names.get(), made) == 0) return false;
  }
  const int critical = holder.name.size() > kMaxCommonName ? 1 : 0;
  return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), critical,
                           X509V3_ADD_DEFAULT) == 1;
}

// All that certificates of both sorts have.
tls::X509Ptr begun(const std::string& subject, EVP_PKEY* key, const Validity& validity) {
  tls::X509Ptr made(X509_new());
  X509* const certificate = made.get();
  const bool done = certificate != nullptr && X509_set_version(certificate, X509_VERSION_3) == 1 &&
                    set_serial(certificate) && set_subject(certificate, subject) &&
                    set_time(X509_getm_notBefore(certificate), validity.not_before) &&
                    set_time(X509_getm_notAfter(certificate), validity.not_after) &&
                    X509_set_pubkey(certificate, key) == 1;
  return done ? std::move(made) : nullptr;
}

}  // namespace

Validity valid_for(days length, base::WallTime now) {
  return {std::chrono::floor<std::chrono::seconds>(now - hours(1)),
          std::chrono::floor<std::chrono::seconds>(now + length)};
}

days default_days(Kind kind) {
  switch (kind) {
    case Kind::Authority:
      return days(3650);
    case Kind::Server:
    case Kind::Agent:
      return days(825);
    case Kind::Operator:
    case Kind::Reader:
      return days(365);
  }
  return days(1);
}

bool is_due(const Validity& validity, base::WallTime now) {
  const auto length = validity.not_after - validity.not_before;
  return now >= validity.not_after - length / 3;
}

base::Checked<tls::KeyPtr> make_key() {
  tls::KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return failed("no key can be made");
  return key;
}

std::string pem_of(const EVP_PKEY* key) {
  return written([key](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

std::string pem_of(const X509* certificate) {
  return written(
      [certificate](BIO* bio) { return PEM_write_bio_X509(bio, const_cast<X509*>(certificate)); });
}

std::string fingerprint_of(const X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const int made = X509_digest(certificate, EVP_sha256(), digest.data(), &size);
  assert(made == 1);
  static_cast<void>(made);
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    if (i > 0) text += ':';
    text += {kDigits[digest[i] >> 4U], kDigits[digest[i] & 0xFU]};
  }
  return text;
}

base::Checked<tls::X509Ptr> make_authority(const std::string& name, EVP_PKEY* key,
                                           const Validity& validity) {
  assert(name.size() <= kMaxCommonName);
  tls::X509Ptr made = begun(name, key, validity);
  X509* const certificate = made.get();
  const bool done =
      certificate != nullptr &&
      X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1 &&
      extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      extend(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign") &&
      extend(certificate, certificate, NID_subject_key_identifier, "hash") &&
      extend(certificate, certificate, NID_authority_key_identifier, "keyid:always") &&
      X509_sign(certificate, key, EVP_sha256()) > 0;
  if (!done) return failed("no certificate of an authority can be made");
  return made;
}

base::Checked<tls::X509Ptr> make_certificate(const Holder& holder, EVP_PKEY* key,
                                             const Issuer& issuer, const Validity& validity) {
  assert(holder.kind != Kind::Authority && !holder.names.empty());
  tls::X509Ptr made = begun(holder.name, key, validity);
  X509* const certificate = made.get();
  const char* purpose = holder.kind == Kind::Server ? "serverAuth" : "clientAuth";
  const bool done =
      certificate != nullptr &&
      X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate)) == 1 &&
      extend(certificate, issuer.certificate, NID_basic_constraints, "critical,CA:FALSE") &&
      extend(certificate, issuer.certificate, NID_key_usage, "critical,digitalSignature") &&
      extend(certificate, issuer.certificate, NID_ext_key_usage, purpose) &&
      extend(certificate, issuer.certificate, NID_subject_key_identifier, "hash") &&
      extend(certificate, issuer.certificate, NID_authority_key_identifier, "keyid:always") &&
      add_names(certificate, holder) && X509_sign(certificate, issuer.key, EVP_sha256()) > 0;
  if (!done) return failed("no certificate can be made for " + holder.name);
  return made;
}

}  // namespace sluice::ctl::pki
