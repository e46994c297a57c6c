#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"

#include "tests/config/base/certificates.h"
#include "tests/config/refused.h"

namespace sluice::config {
namespace {

using base::testing::Certified;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LoadEtcd : public ::testing::Test {
 protected:
  LoadEtcd() {
    folder_.put("ca.crt", authority_.certificate_pem());
    folder_.put("ns1.crt", own_.certificate_pem());
    folder_.put("ns1.key", own_.key_pem());
    folder_.put("password", "secret\n");
  }

  base::Result<Config, std::vector<base::Error>> load(const std::string& etcd) {
    return load_text(with(kSmall, "health:", "store:\n  etcd: " + etcd + "\nhealth:"),
                     folder_.path() + "/t.yaml");
  }
  // What is read of a block that is right.
  Etcd read(const std::string& etcd) {
    const auto loaded = load(etcd);
    EXPECT_TRUE(loaded) << base::to_string(loaded.error());
    return loaded && loaded->store.etcd ? *loaded->store.etcd : Etcd{};
  }
  // What is told, with the folder as "/x".
  std::string told(const std::string& etcd) {
    const auto loaded = load(etcd);
    return loaded ? "accepted" : without_folder(base::to_string(loaded.error()));
  }
  std::string warned(const std::string& etcd) {
    const auto loaded = load(etcd);
    EXPECT_TRUE(loaded) << base::to_string(loaded.error());
    return loaded ? without_folder(base::to_string(loaded->warnings)) : "";
  }
  std::string without_folder(std::string text) const {
    for (auto at = text.find(folder_.path()); at != std::string::npos;
         at = text.find(folder_.path())) {
      text.replace(at, folder_.path().size(), "/x");
    }
    return text;
  }

  base::testing::Folder folder_;
  Certified authority_{{.subject = "authority"}};
  Certified own_{{.subject = "ns1"}, authority_};
};

TEST_F(LoadEtcd, IsNotThereByItself) {
  EXPECT_FALSE(load_text(std::string(kSmall), "t.yaml")->store.etcd);
}

TEST_F(LoadEtcd, TakesMembersAloneAndHasDefaults) {
  const Etcd etcd = read(R"({endpoints: ["http://127.0.0.1:2379/", "http://[::1]:2379"]})");
  EXPECT_THAT(etcd.endpoints, ElementsAre("http://127.0.0.1:2379", "http://[::1]:2379"));
  EXPECT_EQ(etcd.prefix, "/sluice");
  EXPECT_EQ(etcd.confirm_timeout, std::chrono::seconds(2));
  EXPECT_EQ(etcd.ca + etcd.certificate + etcd.key + etcd.user + etcd.password, "");
}

TEST_F(LoadEtcd, ReadsAll) {
  const std::string all =
      R"({endpoints: ["https://etcd1.example:2379"], prefix: /a/b, confirm_timeout: 1m,
          tls: {ca: ca.crt, certificate: ns1.crt, key: ns1.key},
          user: sluice, password_file: password})";
  const Etcd etcd = read(all);
  EXPECT_EQ(etcd.prefix, "/a/b");
  EXPECT_EQ(etcd.ca, folder_.path() + "/ca.crt");
  EXPECT_EQ(etcd.certificate, folder_.path() + "/ns1.crt");
  EXPECT_EQ(etcd.key, folder_.path() + "/ns1.key");
  EXPECT_EQ(etcd.user, "sluice");
  EXPECT_EQ(etcd.password, "secret") << "without the line's end";
  EXPECT_EQ(etcd.confirm_timeout, std::chrono::minutes(1));
  EXPECT_THAT(load(all)->warnings, IsEmpty());
}

TEST_F(LoadEtcd, TellsMistakesOfMembersAndPrefix) {
  EXPECT_EQ(told("{}"), R"(/x/t.yaml:8: store.etcd.endpoints: is missing: etcd's members, such as )"
                        R"(["http://127.0.0.1:2379"])");
  EXPECT_EQ(told("{endpoints: []}"),
            "/x/t.yaml:8: store.etcd.endpoints: must have at least one member of etcd, such as "
            "http://127.0.0.1:2379");
  EXPECT_EQ(told(R"({endpoints: ["http://127.0.0.1:2379", "127.0.0.1:2379", "http://h/v3",)"
                 R"( "http://127.0.0.1:2379/"]})"),
            "/x/t.yaml:8: store.etcd.endpoints[1]: must be a URL such as http://127.0.0.1:8053, "
            "is 127.0.0.1:2379\n"
            "/x/t.yaml:8: store.etcd.endpoints[2]: must be https://HOST:PORT or http://HOST:PORT "
            "without a path, is http://h/v3\n"
            "/x/t.yaml:8: store.etcd.endpoints[3]: http://127.0.0.1:2379 stands here twice");
  for (const std::string prefix : {"sluice", "/", "/sluice/", "\"/slu ice\""}) {
    EXPECT_THAT(told(R"({endpoints: ["http://127.0.0.1:1"], prefix: )" + prefix + "}"),
                HasSubstr("store.etcd.prefix: must begin with / and end otherwise, such as "
                          "/sluice, is "))
        << prefix;
  }
  EXPECT_EQ(told(R"({endpoints: ["http://127.0.0.1:1"], confirm_timeout: 99ms, prefixes: /a})"),
            "/x/t.yaml:8: store.etcd.confirm_timeout: must be 100ms..1m, is 99ms\n"
            "/x/t.yaml:8: store.etcd.prefixes: is not a known key; did you mean \"prefix\"?");
}

TEST_F(LoadEtcd, TellsMistakesOfTls) {
  const auto tls = [&](const std::string& block) {
    return told(R"({endpoints: ["https://127.0.0.1:2379"], tls: )" + block + "}");
  };
  EXPECT_EQ(tls("{}"), "/x/t.yaml:8: store.etcd.tls: must have ca, or certificate and key, or all");
  EXPECT_EQ(tls("{certificate: ns1.crt}"),
            "/x/t.yaml:8: store.etcd.tls.certificate: needs key, the file of its private key");
  EXPECT_EQ(tls("{key: ns1.key, ca: ca.crt}"),
            "/x/t.yaml:8: store.etcd.tls.key: needs certificate, the file of the certificate it "
            "is for");
  EXPECT_EQ(tls("{ca: gone.crt}"),
            "/x/t.yaml:8: store.etcd.tls.ca: can't be read: No such file or directory: "
            "/x/gone.crt");
  EXPECT_EQ(tls("{ca: ns1.key}"),
            "/x/t.yaml:8: store.etcd.tls.ca: has no certificate in PEM (-----BEGIN "
            "CERTIFICATE-----): /x/ns1.key");
  EXPECT_EQ(tls("{certificate: ca.crt, key: ns1.key}"),
            "/x/t.yaml:8: store.etcd.tls.key: is not the key of the certificate in /x/ca.crt: "
            "/x/ns1.key");
  EXPECT_EQ(told(R"({endpoints: ["http://127.0.0.1:2379"], tls: {ca: ca.crt}})"),
            "/x/t.yaml:8: store.etcd.tls: needs an endpoint that begins with https://");
}

TEST_F(LoadEtcd, TellsMistakesOfUserAndPassword) {
  const auto user = [&](const std::string& keys) {
    return told(R"({endpoints: ["http://127.0.0.1:2379"], )" + keys + "}");
  };
  EXPECT_EQ(user("user: sluice"),
            "/x/t.yaml:8: store.etcd.user: needs password_file, a file with this user's password");
  EXPECT_EQ(user("password_file: password"),
            "/x/t.yaml:8: store.etcd.password_file: needs user, etcd's user whose password it is");
  EXPECT_EQ(user("user: sluice, password_file: gone"),
            "/x/t.yaml:8: store.etcd.password_file: can't be read: No such file or directory: "
            "/x/gone");
  folder_.put("password", "\n");
  EXPECT_EQ(user("user: sluice, password_file: password"),
            "/x/t.yaml:8: store.etcd.password_file: holds no password: /x/password");
  for (const char* text : {"one\ntwo\n", "\xff\n"}) {
    folder_.put("password", text);
    EXPECT_EQ(user("user: sluice, password_file: password"),
              "/x/t.yaml:8: store.etcd.password_file: must hold one line of UTF-8, the password: "
              "/x/password");
  }
}

TEST_F(LoadEtcd, WarnsOfWhatOthersMayRead) {
  std::filesystem::permissions(folder_.put("password", "secret"), std::filesystem::perms(0644));
  std::filesystem::permissions(folder_.put("ns1.key", own_.key_pem()),
                               std::filesystem::perms(0604));
  EXPECT_EQ(warned(R"({endpoints: ["https://h:1", "http://192.0.2.1:2379"], user: u,
          password_file: password, tls: {certificate: ns1.crt, key: ns1.key}})"),
            "/x/t.yaml:8: store.etcd.endpoints[1]: http://192.0.2.1:2379 is not loopback and not "
            "https: who reads along on the network sees all that is written there\n"
            "/x/t.yaml:9: store.etcd.password_file: /x/password can be read by every user of this "
            "host: chmod o-r /x/password\n"
            "/x/t.yaml:9: store.etcd.tls.key: /x/ns1.key can be read by every user of this host: "
            "chmod o-r /x/ns1.key");
}

TEST_F(LoadEtcd, WarnsOfACertificateThatEnds) {
  const std::string etcd =
      R"({endpoints: ["https://h:1"], tls: {certificate: ns1.crt, key: ns1.key}})";
  const Certified over({.subject = "ns1", .end = -std::chrono::minutes(1)}, authority_);
  folder_.put("ns1.crt", over.certificate_pem());
  folder_.put("ns1.key", over.key_pem());
  EXPECT_THAT(warned(etcd), HasSubstr("/x/ns1.crt expired at "));
  const Certified soon({.subject = "ns1", .end = std::chrono::hours(24 * 13)}, authority_);
  folder_.put("ns1.crt", soon.certificate_pem());
  folder_.put("ns1.key", soon.key_pem());
  EXPECT_THAT(warned(etcd), HasSubstr("/x/ns1.crt expires at "));
}

}  // namespace
}  // namespace sluice::config
