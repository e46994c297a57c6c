#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "tools/sluicectl/pki/issue.h"

namespace sluice::ctl::pki {
namespace {

using std::chrono::days;
using std::chrono::hours;

base::WallTime now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

struct Signer {
  tls::KeyPtr key = *make_key();
  tls::X509Ptr certificate = *make_authority("A test", key.get(), valid_for(days(3650), now()));

  tls::X509Ptr sign(const Holder& holder, Validity validity = valid_for(days(365), now())) const {
    const tls::KeyPtr own = *make_key();
    return *make_certificate(holder, own.get(), {certificate.get(), key.get()}, validity);
  }
};

// OpenSSL's own judgement, strict, for a purpose.
int judged(const X509* authority, const X509* certificate, int purpose) {
  X509_STORE* const store = X509_STORE_new();
  X509_STORE_add_cert(store, const_cast<X509*>(authority));
  X509_STORE_CTX* const context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, const_cast<X509*>(certificate), nullptr);
  X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_STORE_CTX_set_purpose(context, purpose);
  X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  return error;
}

TEST(Certificate, PassesForItsPurposeAndNoOther) {
  const Signer ca;
  const auto server = ca.sign(*server_holder("ns1.example.org", {"192.0.2.53", "::1"}));
  EXPECT_EQ(judged(ca.certificate.get(), server.get(), X509_PURPOSE_SSL_SERVER), X509_V_OK);
  EXPECT_EQ(judged(ca.certificate.get(), server.get(), X509_PURPOSE_SSL_CLIENT),
            X509_V_ERR_INVALID_PURPOSE);
  for (const auto& holder : {agent_holder("fe01.example.org"), user_holder(Kind::Operator, "anna"),
                             user_holder(Kind::Reader, "p@example.org")}) {
    const auto client = ca.sign(*holder);
    EXPECT_EQ(judged(ca.certificate.get(), client.get(), X509_PURPOSE_SSL_CLIENT), X509_V_OK);
    EXPECT_EQ(judged(ca.certificate.get(), client.get(), X509_PURPOSE_SSL_SERVER),
              X509_V_ERR_INVALID_PURPOSE);
  }
  EXPECT_NE(judged(Signer().certificate.get(), server.get(), X509_PURPOSE_SSL_SERVER), X509_V_OK);
}

TEST(Certificate, IsForItsNamesAlone) {
  const Signer ca;
  const auto server = ca.sign(*server_holder("ns1.example.org", {"192.0.2.53", "2001:db8::53"}));
  EXPECT_EQ(X509_check_host(server.get(), "ns1.example.org", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(server.get(), "ns2.example.org", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "192.0.2.53", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "2001:db8::53", 0), 1);
  EXPECT_EQ(X509_check_ip_asc(server.get(), "192.0.2.54", 0), 0);
  const auto anna = ca.sign(*user_holder(Kind::Operator, "anna@example.org"));
  EXPECT_EQ(X509_check_email(anna.get(), "anna@example.org", 0, 0), 1);
}

// ub-common-name is 64: of a longer name the subject is empty and the alternative names critical.
TEST(Certificate, OfALongNamePassesToo) {
  const Signer ca;
  const std::string name = std::string(60, 'a') + "." + std::string(60, 'b') + ".example";
  const auto server = ca.sign(*server_holder(name, {}));
  EXPECT_EQ(judged(ca.certificate.get(), server.get(), X509_PURPOSE_SSL_SERVER), X509_V_OK);
  EXPECT_EQ(X509_check_host(server.get(), name.c_str(), 0, 0, nullptr), 1);
  EXPECT_EQ(tls::facts_of(server.get()).subject, "");
}

TEST(Certificate, HasASerialOf128BitsThatComesOnce) {
  const Signer ca;
  const Holder holder = *agent_holder("fe01.example.org");
  std::set<std::string> seen;
  std::size_t longest = 0;
  for (int i = 0; i < 100; ++i) {
    const auto made = ca.sign(holder);
    const ASN1_INTEGER* serial = X509_get0_serialNumber(made.get());
    EXPECT_GT(ASN1_STRING_length(serial), 0);
    EXPECT_EQ(ASN1_STRING_type(serial), V_ASN1_INTEGER) << "never negative";
    const std::string text = tls::facts_of(made.get()).serial;
    EXPECT_TRUE(seen.insert(text).second);
    longest = std::max(longest, text.size());
  }
  EXPECT_EQ(longest, 32U);
}

// RFC 5280 section 4.1.2.5: from 2050 on another form of time.
TEST(Certificate, IsValidFromAnHourAgoAndBeyond2049) {
  const Signer ca;
  const auto made = ca.sign(*agent_holder("fe01.example.org"), valid_for(days(9000), now()));
  const tls::Facts facts = tls::facts_of(made.get());
  EXPECT_GE(facts.not_before, now() - hours(2));
  EXPECT_LE(facts.not_before, now() - hours(1));
  EXPECT_GE(facts.not_after, now() + days(9000) - hours(1));
  EXPECT_LE(facts.not_after, now() + days(9000));
}

TEST(Key, IsOfP256AndComesBackFromItsText) {
  const tls::KeyPtr key = *make_key();
  EXPECT_EQ(EVP_PKEY_get_bits(key.get()), 256);
  const auto read = tls::parse_key(pem_of(key.get()));
  ASSERT_TRUE(read);
  EXPECT_EQ(EVP_PKEY_eq(key.get(), read->get()), 1);
}

TEST(IsDue, InTheLastThird) {
  const Validity validity{base::WallTime(days(0)), base::WallTime(days(300))};
  EXPECT_FALSE(is_due(validity, base::WallTime(days(199))));
  EXPECT_TRUE(is_due(validity, base::WallTime(days(201))));
}

}  // namespace
}  // namespace sluice::ctl::pki
