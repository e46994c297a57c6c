#include "tools/tls/certificate.h"

#include <array>
#include <cassert>
#include <ctime>
#include <memory>

#include <arpa/inet.h>

#include "config/base/calendar.h"
#include "config/base/certificate.h"

namespace sluice::tls {
namespace {

using BioPtr = base::OpenSslOwner<BIO>;

struct FreeText {
  void operator()(char* text) const noexcept { OPENSSL_free(text); }
};

BioPtr reader(std::string_view text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  assert(bio);  // fails for lack of memory alone
  return bio;
}

// Without it OpenSSL asks on the terminal. `asked` learns that somebody should have typed.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string subject_of(const X509* certificate) {
  const X509_NAME* name = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at >= 0) return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  const BioPtr bio(BIO_new(BIO_s_mem()));
  assert(bio);
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  const char* octets = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &octets);
  return {octets, static_cast<std::size_t>(size)};
}

std::string address_of(const ASN1_OCTET_STRING* octets) {
  const unsigned char* data = ASN1_STRING_get0_data(octets);
  std::array<char, 46> text{};  // INET6_ADDRSTRLEN
  const int size = ASN1_STRING_length(octets);
  const int family = size == 4 ? AF_INET : AF_INET6;
  if ((size != 4 && size != 16) || inet_ntop(family, data, text.data(), text.size()) == nullptr) {
    return "an address of " + std::to_string(size) + " octets";
  }
  return text.data();
}

std::vector<std::string> names_of(const X509* certificate) {
  const base::OpenSslOwner<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> texts;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const void* value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    if (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI) {
      texts.push_back(text_of(static_cast<const ASN1_STRING*>(value)));
    } else if (type == GEN_IPADD) {
      texts.push_back(address_of(static_cast<const ASN1_OCTET_STRING*>(value)));
    }
  }
  return texts;
}

std::string serial_of(const X509* certificate) {
  const base::OpenSslOwner<BIGNUM> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  const std::unique_ptr<char, FreeText> hex(number ? BN_bn2hex(number.get()) : nullptr);
  std::string text(hex ? hex.get() : "");
  for (char& c : text) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

base::Checked<std::vector<X509Ptr>> parse_certificates(std::string_view pem) {
  const BioPtr bio = reader(pem);
  std::vector<X509Ptr> found;
  while (X509* const next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    found.emplace_back(next);
  }
  const unsigned long last = ERR_peek_last_error();
  ERR_clear_error();
  // The end of the text is told as an error, too.
  if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE) {
    return base::failure("has a certificate that cannot be read (is it cut off?)");
  }
  if (found.empty()) {
    return base::failure("holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
  }
  return found;
}

base::Checked<KeyPtr> parse_key(std::string_view pem) {
  const BioPtr bio = reader(pem);
  bool asked = false;
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &asked));
  ERR_clear_error();
  if (asked) {
    return base::failure(
        "is protected by a passphrase, which nobody is there to type: store it without one, "
        "readable by its user alone");
  }
  if (!key) return base::failure("holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)");
  return key;
}

bool belong_together(const X509* certificate, const EVP_PKEY* key) {
  const bool fit = X509_check_private_key(certificate, key) == 1;
  ERR_clear_error();
  return fit;
}

Facts facts_of(const X509* certificate) {
  Facts facts;
  facts.subject = subject_of(certificate);
  facts.names = names_of(certificate);
  facts.not_before = base::not_before(certificate).value_or(base::WallTime());
  facts.not_after = base::not_after(certificate).value_or(base::WallTime());
  facts.serial = serial_of(certificate);
  // What it caches in the certificate changes nothing that anybody sees.
  auto* const own = const_cast<X509*>(certificate);
  facts.authority = X509_check_ca(own) == 1;
  facts.for_servers = X509_check_purpose(own, X509_PURPOSE_SSL_SERVER, 0) == 1;
  facts.for_clients = X509_check_purpose(own, X509_PURPOSE_SSL_CLIENT, 0) == 1;
  ERR_clear_error();
  return facts;
}

std::string day_of(base::WallTime time) {
  const std::time_t seconds = base::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts);
  return text.data();
}

}  // namespace sluice::tls
