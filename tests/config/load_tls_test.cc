#include "gmock/gmock.h"

#include "tests/config/base/certificates.h"
#include "tests/config/refused.h"

namespace sluice::config {
namespace {

using base::testing::Certified;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LoadTls : public ::testing::Test {
 protected:
  LoadTls() {
    folder_.put("ca.crt", authority_.certificate_pem());
    folder_.put("api.crt", server_.certificate_pem());
    folder_.put("api.key", server_.key_pem());
  }

  // kSmall with this block for api.tls, in the folder of the certificates.
  base::Result<Config, std::vector<base::Error>> load(std::string_view tls,
                                                      std::string_view from = "  tokens:",
                                                      std::string_view to = "  tokens:") {
    const std::string text =
        with(with(kSmall, "  tokens:", "  tls: " + std::string(tls) + "\n  tokens:"), from, to);
    return load_text(text, folder_.path() + "/t.yaml");
  }
  // What is told, with the folder as "/x".
  std::string told(std::string_view tls,
                   std::string_view from = "  tokens:", std::string_view to = "  tokens:") {
    const auto loaded = load(tls, from, to);
    if (loaded) return "accepted";
    std::string text = base::to_string(loaded.error());
    for (auto at = text.find(folder_.path()); at != std::string::npos;
         at = text.find(folder_.path())) {
      text.replace(at, folder_.path().size(), "/x");
    }
    return text;
  }

  static constexpr std::string_view kServer = "{certificate: api.crt, key: api.key}";
  static constexpr std::string_view kBoth =
      "{certificate: api.crt, key: api.key, client_ca: ca.crt}";

  base::testing::Folder folder_;
  Certified authority_{{.subject = "authority"}};
  Certified server_{{.subject = "api"}, authority_};
};

TEST_F(LoadTls, ReadsTheFiles) {
  const auto loaded = load(
      "{certificate: api.crt, key: api.key, client_ca: ca.crt, client_certificates: optional}");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  ASSERT_TRUE(loaded->api.tls);
  EXPECT_EQ(loaded->api.tls->files.certificate, folder_.path() + "/api.crt");
  EXPECT_EQ(loaded->api.tls->files.key, folder_.path() + "/api.key");
  EXPECT_EQ(loaded->api.tls->files.client_ca, folder_.path() + "/ca.crt");
  EXPECT_EQ(loaded->api.tls->clients, base::ClientCertificates::Optional);
  EXPECT_NE(loaded->api.tls->context, nullptr);
  EXPECT_THAT(loaded->warnings, IsEmpty());
}

TEST_F(LoadTls, RequiresCertificatesWhenItCanJudgeThem) {
  const auto loaded = load(kBoth);
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  EXPECT_EQ(loaded->api.tls->clients, base::ClientCertificates::Required);
}

TEST_F(LoadTls, ListensEverywhereThen) {
  EXPECT_TRUE(load(kServer, "127.0.0.1@8053", "0.0.0.0@8053"));
  EXPECT_EQ(told(kServer, "[\"127.0.0.1@8053\"]", "[\"0.0.0.0@8053\", \"::@8053\"]"), "accepted");
}

TEST_F(LoadTls, StillRefusesTheExamplesTokensThere) {
  const auto loaded =
      load_text(with(with(with(kSmall, "127.0.0.1@8053", "0.0.0.0@8053"),
                          "  tokens:", "  tls: " + std::string(kServer) + "\n  tokens:"),
                     "00000000000000000000000000000000000000000000000000000000000000aa",
                     "0bab5450ae8b03547eb2ebff2a550adeeb66743fb34e0eac1eff8ea1edac73ca"),
                folder_.path() + "/t.yaml");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(base::to_string(loaded.error()), HasSubstr("is a token of the example"));
}

TEST_F(LoadTls, TellsEachMistake) {
  EXPECT_EQ(told("{}"),
            "/x/t.yaml:5: api.tls.certificate: is missing: a PEM file with the server's "
            "certificate, and those between it and a root\n"
            "/x/t.yaml:5: api.tls.key: is missing: a PEM file with the key of the certificate");
  EXPECT_EQ(told("{certificate: gone.crt, key: api.key}"),
            "/x/t.yaml:5: api.tls.certificate: can't be read: No such file or directory: "
            "/x/gone.crt");
  EXPECT_EQ(told("{certificate: ca.crt, key: api.key}"),
            "/x/t.yaml:5: api.tls.key: is not the key of the certificate in /x/ca.crt: "
            "/x/api.key");
  EXPECT_EQ(told("{certificate: api.key, key: api.crt, client_ca: t}"),
            "/x/t.yaml:5: api.tls.certificate: is a key, and must be a certificate: /x/api.key\n"
            "/x/t.yaml:5: api.tls.key: has no key in PEM (-----BEGIN PRIVATE KEY-----): "
            "/x/api.crt\n"
            "/x/t.yaml:5: api.tls.client_ca: can't be read: No such file or directory: /x/t");
  EXPECT_EQ(told("{certificate: api.crt, key: api.key, client_certificates: optional}"),
            "/x/t.yaml:5: api.tls.client_certificates: needs api.tls.client_ca, a file with the "
            "certificates of who signs those of clients");
  EXPECT_EQ(told("{certificate: api.crt, key: api.key, client_ca: ca.crt, "
                 "client_certificates: maybe}"),
            "/x/t.yaml:5: api.tls.client_certificates: must be required or optional, is maybe");
  EXPECT_EQ(told(kServer, "  listen: [\"127.0.0.1@8053\"]\n", "  socket: s\n"),
            "/x/t.yaml:5: api.tls: needs api.listen: the socket has no TLS, its file's "
            "permissions decide\n"
            "/x/t.yaml:7: api.tokens: need api.listen, where they are shown; on the socket the "
            "file's permissions decide");
}

TEST_F(LoadTls, WarnsOfWhatWillEnd) {
  const Certified over({.subject = "api", .end = -std::chrono::minutes(1)}, authority_);
  folder_.put("api.crt", over.certificate_pem());
  std::filesystem::permissions(folder_.put("api.key", over.key_pem()),
                               std::filesystem::perms(0644));
  const auto loaded = load(kServer);
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  ASSERT_EQ(loaded->warnings.size(), 2U);
  EXPECT_THAT(
      base::to_string(loaded->warnings[0]),
      HasSubstr("t.yaml:5: api.tls.certificate: " + folder_.path() + "/api.crt expired at "));
  EXPECT_THAT(base::to_string(loaded->warnings[1]),
              HasSubstr("t.yaml:5: api.tls.key: " + folder_.path() + "/api.key can be read by "));
}

constexpr std::string_view kSha256 =
    "sha256: \"00000000000000000000000000000000000000000000000000000000000000aa\"";

TEST_F(LoadTls, TakesEntriesOfCertificates) {
  const auto loaded = load(kBoth, kSha256, "certificate: \"Ops.Example.\"");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  EXPECT_EQ(loaded->api.tokens[0].certificate,
            (base::SubjectName{base::SubjectName::Kind::Dns, "ops.example"}));
  for (const char* name : {"ops@example.org", "\"spiffe://example.org/ops\""}) {
    EXPECT_TRUE(load(kBoth, kSha256, std::string("certificate: ") + name)) << name;
  }
}

TEST_F(LoadTls, RefusesEntriesOfCertificatesThatAreNobodys) {
  for (const char* name : {"\"*.example.org\"", "\"a b\"", "\"a b@example.org\"", "\"\\xe9\""}) {
    EXPECT_THAT(
        told(kBoth, kSha256, std::string("certificate: ") + name),
        HasSubstr("t.yaml:7: api.tokens[0].certificate: must be a subject alternative name"))
        << name;
  }
  EXPECT_EQ(told(kServer, kSha256, "certificate: a.example"),
            "/x/t.yaml:7: api.tokens[0].certificate: needs api.tls.client_ca, a file with the "
            "certificates of who signs those of clients");
  EXPECT_EQ(told(kBoth, kSha256, "certificate: a.example, " + std::string(kSha256)),
            "/x/t.yaml:7: api.tokens[0].sha256: is one way too many beside certificate: an entry "
            "has one of the two");
  EXPECT_EQ(told(kBoth, kSha256,
                 "certificate: a.example}\n"
                 "    - {name: b, role: reader, certificate: A.Example"),
            "/x/t.yaml:8: api.tokens[1].certificate: is the certificate of line 7 too");
}

}  // namespace
}  // namespace sluice::config
