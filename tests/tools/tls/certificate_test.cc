#include "tools/tls/certificate.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <openssl/bio.h>
#include <openssl/pem.h>

#include "tests/tools/tls/folder.h"

namespace sluice::tls {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Certificates, AreReadFromAnyPlaceOfATextOneAfterTheOther) {
  const Certified ca = authority();
  const Certified fe01 = certified(ca, *ctl::pki::agent_holder("fe01.example.org"));
  const auto found =
      parse_certificates("words\n" + fe01.pem() + fe01.key_pem() + ca.pem() + "\n\n");
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(facts_of((*found)[0].get()).subject, "fe01.example.org");
  EXPECT_EQ(facts_of((*found)[1].get()).subject, "A test");
}

TEST(Certificates, AreRefusedWhenNotWhole) {
  const std::string pem = authority().pem();
  for (const std::string& text : {std::string(), std::string("nothing"), authority().key_pem()}) {
    const auto found = parse_certificates(text);
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().message, HasSubstr("holds no certificate in PEM form"));
  }
  std::string spoilt = pem;
  spoilt.replace(60, 8, "!!!!!!!!");
  for (const std::string& text :
       {pem.substr(0, pem.size() / 2), pem + pem.substr(0, 200), spoilt}) {
    const auto found = parse_certificates(text);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().message, "has a certificate that cannot be read (is it cut off?)");
  }
}

TEST(Keys, AreReadAndBelongToTheirCertificateAlone) {
  const Certified one = authority();
  const Certified other = authority();
  const auto key = parse_key(one.key_pem());
  ASSERT_TRUE(key);
  EXPECT_TRUE(belong_together(one.certificate.get(), key->get()));
  EXPECT_FALSE(belong_together(other.certificate.get(), key->get()));
}

TEST(Keys, SayWhatIsWrongWithThem) {
  EXPECT_THAT(parse_key("").error().message, HasSubstr("holds no private key in PEM form"));
  EXPECT_THAT(parse_key(authority().pem()).error().message, HasSubstr("holds no private key"));
  // openssl genpkey -algorithm ED25519 -aes128 -pass pass:x, cut: what counts is that it asks.
  const Certified one = authority();
  BIO* const bio = BIO_new(BIO_s_mem());
  std::string secret = "secret";
  PEM_write_bio_PKCS8PrivateKey(bio, one.key.get(), EVP_aes_128_cbc(), secret.data(),
                                static_cast<int>(secret.size()), nullptr, nullptr);
  char* octets = nullptr;
  const long size = BIO_get_mem_data(bio, &octets);
  const std::string locked(octets, static_cast<std::size_t>(size));
  BIO_free(bio);
  EXPECT_THAT(parse_key(locked).error().message, HasSubstr("is protected by a passphrase"));
}

TEST(Facts, AreThoseOfTheCertificate) {
  const Certified ca = authority();
  const auto holder = ctl::pki::server_holder("ns1.example.org", {"192.0.2.53", "2001:db8::53"});
  const Facts server = facts_of(certified(ca, *holder).certificate.get());
  EXPECT_EQ(server.subject, "ns1.example.org");
  EXPECT_THAT(server.names, ElementsAre("ns1.example.org", "192.0.2.53", "2001:db8::53"));
  EXPECT_TRUE(server.for_servers);
  EXPECT_FALSE(server.for_clients);
  EXPECT_FALSE(server.authority);
  EXPECT_LT(server.not_before, now());
  EXPECT_GT(server.not_after, now() + std::chrono::days(364));
  EXPECT_GE(server.serial.size(), 28U);

  const auto anna = ctl::pki::user_holder(ctl::pki::Kind::Operator, "anna@example.org");
  const Facts user = facts_of(certified(ca, *anna).certificate.get());
  EXPECT_THAT(user.names, ElementsAre("anna@example.org"));
  EXPECT_FALSE(user.for_servers);
  EXPECT_TRUE(user.for_clients);

  EXPECT_TRUE(facts_of(ca.certificate.get()).authority);
}

TEST(Days, AreThoseOfUtc) {
  EXPECT_EQ(day_of(base::WallTime(std::chrono::seconds(0))), "1970-01-01");
  EXPECT_EQ(day_of(base::WallTime(std::chrono::seconds(1'796'083'199))), "2026-11-30");
  // "No well-defined expiration date", RFC 5280 section 4.1.2.5.
  EXPECT_EQ(day_of(base::WallTime(std::chrono::seconds(253'402'300'799))), "9999-12-31");
}

}  // namespace
}  // namespace sluice::tls
