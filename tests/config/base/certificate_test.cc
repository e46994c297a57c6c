#include "config/base/certificate.h"

#include "tests/config/base/certificates.h"

namespace sluice::base {
namespace {

using testing::Certified;
using Kind = SubjectName::Kind;

TEST(Certificate, HasTheNamesOfItsHolderInTheirOrder) {
  const Certified made({.names = "DNS:FE01.Pool.Example,email:Ops@x.example,IP:192.0.2.1,"
                                 "URI:spiffe://x/agent,DNS:b.example."});
  const CertificateHolder holder = holder_of(made.certificate());
  EXPECT_EQ(holder.names, (std::vector<SubjectName>{{Kind::Dns, "fe01.pool.example"},
                                                    {Kind::Email, "Ops@x.example"},
                                                    {Kind::Uri, "spiffe://x/agent"},
                                                    {Kind::Dns, "b.example"}}));
}

TEST(Certificate, NeverTakesItsSubjectForAName) {
  EXPECT_TRUE(holder_of(Certified({.subject = "a.example"}).certificate()).names.empty());
}

TEST(Certificate, PassesOverNamesThatNobodyCanWrite) {
  // A NUL within: "ops.example" to who reads C strings.
  const Certified made({.names = "DNS:a.example"});
  GENERAL_NAMES* names = sk_GENERAL_NAME_new_null();
  for (const std::string& text :
       {std::string("ops.example\0.evil.example", 25), std::string("a b"), std::string("b\n"),
        std::string(256, 'x'), std::string(), std::string(255, 'x')}) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    ASN1_IA5STRING* octets = ASN1_IA5STRING_new();
    ASN1_STRING_set(octets, text.data(), static_cast<int>(text.size()));
    GENERAL_NAME_set0_value(name, GEN_DNS, octets);
    sk_GENERAL_NAME_push(names, name);
  }
  X509_add1_ext_i2d(made.certificate(), NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE);
  GENERAL_NAMES_free(names);
  EXPECT_EQ(holder_of(made.certificate()).names,
            (std::vector<SubjectName>{{Kind::Dns, std::string(255, 'x')}}));
}

TEST(Certificate, KeepsSixtyFourNames) {
  std::string names = "DNS:n0.example";
  for (int i = 1; i < 100; ++i) names += ",DNS:n" + std::to_string(i) + ".example";
  EXPECT_EQ(holder_of(Certified({.names = names}).certificate()).names.size(), 64U);
}

TEST(Certificate, KnowsItsBeginAndEnd) {
  const Certified made({.begin = std::chrono::hours(-2), .end = std::chrono::hours(3)});
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  const auto about = [&](WallTime time, std::chrono::hours expected) {
    return time - now - expected < std::chrono::seconds(10) &&
           time - now - expected > -std::chrono::seconds(10);
  };
  EXPECT_TRUE(about(*not_before(made.certificate()), std::chrono::hours(-2)));
  EXPECT_TRUE(about(*not_after(made.certificate()), std::chrono::hours(3)));
  EXPECT_EQ(holder_of(made.certificate()).not_after, not_after(made.certificate()));
}

TEST(Certificate, TellsTheKindOfANameByItsForm) {
  EXPECT_EQ(subject_name("FE01.Pool.Example."), (SubjectName{Kind::Dns, "fe01.pool.example"}));
  EXPECT_EQ(subject_name("Ops@x.example"), (SubjectName{Kind::Email, "Ops@x.example"}));
  EXPECT_EQ(subject_name("spiffe://x/Y@z"), (SubjectName{Kind::Uri, "spiffe://x/Y@z"}));
}

}  // namespace
}  // namespace sluice::base
