#include "config/base/tls_context.h"

#include "gmock/gmock.h"

#include "tests/config/base/certificates.h"

namespace sluice::base {
namespace {

using testing::Certified;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Wanted;
using File = TlsFinding::File;

class TlsContextTest : public ::testing::Test {
 protected:
  TlsContextTest() {
    files_.certificate = folder_.put("api.crt", server_.certificate_pem());
    files_.key = folder_.put("api.key", server_.key_pem());
    files_.client_ca = folder_.put("ca.crt", authority_.certificate_pem());
  }

  auto load(ClientCertificates clients = ClientCertificates::Required) {
    return TlsContext::load(
        files_, clients, std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
  }
  // The one mistake.
  TlsFinding mistake() {
    const auto loaded = load();
    if (loaded || loaded.error().size() != 1) {
      ADD_FAILURE() << (loaded ? "accepted" : "not one mistake");
      return {};
    }
    return loaded.error().front();
  }
  TlsFinding warning() {
    const auto loaded = load();
    if (!loaded || (*loaded)->warnings().size() != 1) {
      ADD_FAILURE() << (loaded ? "not one warning" : loaded.error().front().message);
      return {};
    }
    return (*loaded)->warnings().front();
  }

  testing::Folder folder_;
  Certified authority_{{.subject = "authority"}};
  Certified server_{{.subject = "api", .names = "DNS:api.example"}, authority_};
  TlsFiles files_;
};

TEST_F(TlsContextTest, TakesFilesThatAreRight) {
  const auto loaded = load();
  ASSERT_TRUE(loaded) << loaded.error().front().message;
  EXPECT_THAT((*loaded)->warnings(), IsEmpty());
}

TEST_F(TlsContextTest, NamesTheFileThatCanNotBeRead) {
  files_.certificate += ".gone";
  files_.key += ".gone";
  files_.client_ca = folder_.path();
  const auto loaded = load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(
      loaded.error(),
      (std::vector<TlsFinding>{
          {File::Certificate, "can't be read: No such file or directory: " + files_.certificate},
          {File::Key, "can't be read: No such file or directory: " + files_.key},
          {File::ClientCa, "can't be read: Is a directory: " + files_.client_ca}}));
}

TEST_F(TlsContextTest, SaysWhatAFileIsThatIsNoCertificate) {
  files_.certificate = folder_.put("x", "hello");
  EXPECT_THAT(mistake().message, HasSubstr("has no certificate in PEM"));
  files_.certificate = folder_.put("x", server_.key_pem());
  EXPECT_THAT(mistake().message, HasSubstr("is a key, and must be a certificate"));
  std::string damaged = server_.certificate_pem();
  damaged[100] = '!';
  files_.certificate = folder_.put("x", damaged);
  EXPECT_THAT(mistake().message, HasSubstr("has a certificate that can't be read"));
  files_.certificate = folder_.put("x", server_.certificate_pem() + damaged);
  EXPECT_THAT(mistake().message, HasSubstr("has a certificate that can't be read"));
  EXPECT_EQ(mistake().file, File::Certificate);
}

TEST_F(TlsContextTest, SaysWhatAFileIsThatIsNoKey) {
  files_.key = folder_.put("x", "hello");
  EXPECT_THAT(mistake().message, HasSubstr("has no key in PEM"));
  files_.key = folder_.put("x", server_.certificate_pem());
  EXPECT_THAT(mistake().message, HasSubstr("has no key in PEM"));
  files_.key = folder_.put("x", server_.key_pem("secret"));
  EXPECT_THAT(mistake().message, HasSubstr("is protected by a passphrase"));
  std::string damaged = server_.key_pem();
  damaged[60] = '!';
  files_.key = folder_.put("x", damaged);
  EXPECT_THAT(mistake().message, HasSubstr("has a key that can't be read"));
  EXPECT_EQ(mistake().file, File::Key);
}

TEST_F(TlsContextTest, RefusesAKeyOfAnotherCertificate) {
  files_.key = folder_.put("x", authority_.key_pem());
  EXPECT_EQ(mistake().message,
            "is not the key of the certificate in " + files_.certificate + ": " + files_.key);
}

TEST_F(TlsContextTest, WantsTheServersOwnCertificateFirst) {
  files_.certificate = folder_.put("x", authority_.certificate_pem() + server_.certificate_pem());
  EXPECT_EQ(
      mistake().message,
      "has the server's own certificate in place 2, and must have it first: " + files_.certificate);
}

TEST_F(TlsContextTest, RefusesKeysThatAreTooSmall) {
  const Certified weak({.key = "RSA-1024"}, authority_);
  files_.certificate = folder_.put("x", weak.certificate_pem());
  files_.key = folder_.put("y", weak.key_pem());
  EXPECT_THAT(mistake().message, HasSubstr("ee key too small"));
}

TEST_F(TlsContextTest, WarnsOfWhatIsOverOrSoonIs) {
  const auto use = [this](const Wanted& wanted) {
    const Certified made(wanted, authority_);
    files_.certificate = folder_.put("x", made.certificate_pem());
    files_.key = folder_.put("y", made.key_pem());
  };
  use({.end = std::chrono::hours(-1) / 2});
  EXPECT_THAT(warning().message, HasSubstr("expired at "));
  use({.end = std::chrono::hours(24 * 13)});
  EXPECT_THAT(warning().message, HasSubstr("expires at "));
  use({.begin = std::chrono::hours(1)});
  EXPECT_THAT(warning().message, HasSubstr("is not valid before "));
  use({.end = std::chrono::hours(24 * 15)});
  EXPECT_THAT((*load())->warnings(), IsEmpty());
  const Certified over({.end = std::chrono::hours(-1) / 2});
  files_.client_ca = folder_.put("z", authority_.certificate_pem() + over.certificate_pem());
  EXPECT_THAT(warning().message, HasSubstr("the clients that it signed are refused"));
}

TEST_F(TlsContextTest, WarnsOfAKeyThatEverybodyCanRead) {
  std::filesystem::permissions(files_.key, std::filesystem::perms(0640));
  EXPECT_THAT((*load())->warnings(), IsEmpty());
  std::filesystem::permissions(files_.key, std::filesystem::perms(0644));
  EXPECT_EQ(warning().file, File::Key);
  EXPECT_THAT(warning().message, HasSubstr("chmod o-r " + files_.key));
}

TEST_F(TlsContextTest, KnowsWhatChanged) {
  const auto first = *load();
  EXPECT_TRUE(first->same_as(**load()));
  EXPECT_TRUE(first->same_clients(**load()));
  EXPECT_FALSE(first->same_clients(**load(ClientCertificates::Optional)));
  const Certified renewed({.subject = "api"}, authority_);
  folder_.put("api.crt", renewed.certificate_pem());
  folder_.put("api.key", renewed.key_pem());
  EXPECT_FALSE(first->same_as(**load()));
  EXPECT_TRUE(first->same_clients(**load()));
  const auto second = *load();
  folder_.put("ca.crt", renewed.certificate_pem());
  EXPECT_FALSE(second->same_as(**load()));
  EXPECT_FALSE(second->same_clients(**load()));
}

}  // namespace
}  // namespace sluice::base
