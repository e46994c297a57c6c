#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "config/base/file.h"
#include "tests/tools/tls/folder.h"
#include "tools/sluicectl/pki/lines.h"
#include "tools/sluicectl/pki/maker.h"

namespace sluice::ctl::pki {
namespace {

using std::chrono::days;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

class MakerTest : public testing::Test {
 protected:
  Maker maker(base::WallTime now = tls::now()) const { return {Folder(path()), now}; }
  std::string path() const { return folder_.path() + "/pki"; }
  std::string text(const std::string& name) const {
    const auto text = base::read_file(path() + "/" + name);
    EXPECT_TRUE(text) << name;
    return text ? *text : "";
  }
  void make_authority() const { ASSERT_TRUE(maker().make_authority("", {})); }
  static std::vector<Holder> agents(const std::vector<std::string>& names) {
    std::vector<Holder> all;
    for (const std::string& name : names) all.push_back(*agent_holder(name));
    return all;
  }

  tls::Folder folder_;
};

fs::perms mode(const std::string& file) {
  return fs::status(file).permissions();
}

TEST_F(MakerTest, MakesWhatOnlyItsOwnerReads) {
  make_authority();
  const auto items = maker().make(agents({"fe01.a.example", "fe02.a.example"}), {});
  ASSERT_TRUE(items) << items.error();
  ASSERT_EQ(items->size(), 2U);
  EXPECT_TRUE(items->front().made);
  EXPECT_EQ(items->front().certificate_file, path() + "/agent/fe01.a.example.pem");
  EXPECT_EQ(mode(path()), fs::perms::owner_all);
  EXPECT_EQ(mode(path() + "/ca.key"), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(mode(path() + "/agent/fe01.a.example.key"),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_NE(mode(path() + "/agent/fe01.a.example.pem") & fs::perms::others_read, fs::perms::none);
}

TEST_F(MakerTest, OverwritesNothing) {
  make_authority();
  ASSERT_TRUE(maker().make(agents({"fe01.a.example"}), {}));
  const std::string ca = text("ca.key");
  const std::string key = text("agent/fe01.a.example.key");
  const std::string certificate = text("agent/fe01.a.example.pem");
  EXPECT_FALSE(maker().make_authority("", {})->made);
  const auto again = maker().make(agents({"fe01.a.example", "fe02.a.example"}), {});
  ASSERT_TRUE(again) << again.error();
  EXPECT_FALSE(again->at(0).made);
  EXPECT_TRUE(again->at(1).made);
  EXPECT_EQ(text("ca.key"), ca);
  EXPECT_EQ(text("agent/fe01.a.example.key"), key);
  EXPECT_EQ(text("agent/fe01.a.example.pem"), certificate);
}

TEST_F(MakerTest, RefusesOtherNamesForACertificateThatIsThereBeforeItMakesAny) {
  make_authority();
  ASSERT_TRUE(maker().make({*server_holder("ns1.example", {"192.0.2.1"})}, {}));
  const auto other = maker().make(
      {*agent_holder("fe01.a.example"), *server_holder("ns1.example", {"192.0.2.2"})}, {});
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error(),
              HasSubstr("ns1.example.pem exists, and is for ns1.example, 192.0.2.1"));
  EXPECT_FALSE(fs::exists(path() + "/agent/fe01.a.example.pem"));
  const auto renewed =
      maker().make({*server_holder("ns1.example", {"192.0.2.2"})}, {{}, Existing::Renew, false});
  ASSERT_TRUE(renewed) << renewed.error();
  EXPECT_THAT(renewed->front().facts.names, ElementsAre("ns1.example", "192.0.2.2"));
}

// Else the certificate of a reader would be one of the operator of that name.
TEST_F(MakerTest, GivesNoNameToTwoClients) {
  make_authority();
  ASSERT_TRUE(maker().make({*user_holder(Kind::Operator, "anna")}, {}));
  ASSERT_TRUE(maker().make(agents({"fe01.a.example"}), {}));
  const auto reader = maker().make({*user_holder(Kind::Reader, "anna")}, {});
  ASSERT_FALSE(reader);
  EXPECT_THAT(reader.error(), HasSubstr("operator/anna.pem has that name"));
  EXPECT_FALSE(maker().make({*user_holder(Kind::Operator, "fe01.a.example")}, {}));
  EXPECT_FALSE(fs::exists(path() + "/reader/anna.pem"));
  EXPECT_TRUE(maker().make({*user_holder(Kind::Operator, "anna")}, {})) << "it is there already";
  // A server's certificate is for no client.
  EXPECT_TRUE(maker().make({*server_holder("fe01.a.example", {})}, {}));
}

TEST_F(MakerTest, RenewsWithTheSameKeyUnlessAnotherIsWanted) {
  make_authority();
  ASSERT_TRUE(maker().make(agents({"fe01.a.example"}), {}));
  const std::string key = text("agent/fe01.a.example.key");
  const std::string certificate = text("agent/fe01.a.example.pem");
  ASSERT_TRUE(maker().renew({"fe01.a.example"}, {}));
  EXPECT_EQ(text("agent/fe01.a.example.key"), key);
  EXPECT_NE(text("agent/fe01.a.example.pem"), certificate);
  ASSERT_TRUE(maker().renew({"fe01.a.example"}, {{}, Existing::Renew, true}));
  EXPECT_NE(text("agent/fe01.a.example.key"), key);
  EXPECT_THAT(maker().renew({"fe1.a.example"}, {}).error(),
              HasSubstr("did you mean \"fe01.a.example\"?"));
}

TEST_F(MakerTest, RenewsByItselfWhatIsDue) {
  make_authority();
  ASSERT_TRUE(maker().make(agents({"fe01.a.example"}), {days(30), Existing::Keep, false}));
  ASSERT_TRUE(maker().make({*server_holder("ns1.example", {"192.0.2.1"})},
                           {days(300), Existing::Keep, false}));
  EXPECT_TRUE(maker().renew({}, {})->empty());
  const auto due = maker(tls::now() + days(25)).renew({}, {});
  ASSERT_TRUE(due) << due.error();
  ASSERT_EQ(due->size(), 1U);
  EXPECT_EQ(due->front().name, "fe01.a.example");
  const auto server = maker(tls::now() + days(250)).renew({}, {});
  ASSERT_TRUE(server) << server.error();
  EXPECT_THAT(server->front().facts.names, ElementsAre("ns1.example", "192.0.2.1"));
}

TEST_F(MakerTest, AnAuthorityKeepsKeyAndNameForLife) {
  make_authority();
  ASSERT_TRUE(maker().make(agents({"fe01.a.example"}), {}));
  const std::string key = text("ca.key");
  const std::string name = maker().items()->front().name;
  EXPECT_THAT(maker().renew({"ca"}, {{}, Existing::Renew, true}).error(),
              HasSubstr("the authority keeps its key"));
  const auto renewed = maker().renew({"ca"}, {});
  ASSERT_TRUE(renewed) << renewed.error();
  EXPECT_EQ(renewed->front().name, name);
  EXPECT_EQ(text("ca.key"), key);
  EXPECT_EQ(maker().items()->at(1).state, State::Good);
}

TEST_F(MakerTest, EndsWithItsAuthority) {
  ASSERT_TRUE(maker().make_authority("Short", {days(10), Existing::Keep, false}));
  const auto items = maker().make(agents({"fe01.a.example"}), {});
  ASSERT_TRUE(items);
  EXPECT_TRUE(items->front().shortened);
  EXPECT_LE(items->front().facts.not_after, tls::now() + days(10));
  EXPECT_THAT(maker(tls::now() + days(11)).make(agents({"fe02.a.example"}), {}).error(),
              HasSubstr("ca.pem expired on"));
}

TEST_F(MakerTest, GoesOnFromAKeyWithoutItsCertificate) {
  make_authority();
  ASSERT_TRUE(maker().make(agents({"fe01.a.example"}), {}));
  const std::string key = text("agent/fe01.a.example.key");
  fs::remove(path() + "/agent/fe01.a.example.pem");
  ASSERT_TRUE(maker().make(agents({"fe01.a.example"}), {}));
  EXPECT_EQ(text("agent/fe01.a.example.key"), key);
}

TEST_F(MakerTest, SaysWhatIsMissing) {
  EXPECT_THAT(maker().make(agents({"fe01.a.example"}), {}).error(),
              HasSubstr("sluicectl pki ca makes one"));
  make_authority();
  ASSERT_TRUE(maker().make(agents({"fe01.a.example"}), {}));
  fs::remove(path() + "/agent/fe01.a.example.key");
  EXPECT_EQ(maker().items()->at(1).state, State::NoKey);
  EXPECT_THAT(maker().renew({"fe01.a.example"}, {}).error(), HasSubstr("--new-key"));
  fs::remove(path() + "/ca.key");
  EXPECT_THAT(maker().make(agents({"fe02.a.example"}), {}).error(),
              HasSubstr("ca.key is not there"));
}

TEST_F(MakerTest, KnowsWhatAnotherAuthorityHasSigned) {
  make_authority();
  ASSERT_TRUE(maker().make(agents({"fe01.a.example"}), {}));
  fs::remove(path() + "/ca.key");
  fs::remove(path() + "/ca.pem");
  make_authority();
  EXPECT_EQ(maker().items()->at(1).state, State::OtherIssuer);
  EXPECT_EQ(maker().renew({}, {})->size(), 1U);
  EXPECT_EQ(maker().items()->at(1).state, State::Good);
}

TEST_F(MakerTest, LinesAreThoseOfTheConfiguration) {
  make_authority();
  auto items = maker().make(agents({"fe01.a.example", "fe01.b.example", "fe02.a.example"}), {});
  ASSERT_TRUE(items);
  EXPECT_THAT(token_names(*items), ElementsAre("fe01.a.example", "fe01.b.example", "fe02"));
  EXPECT_EQ(line_of(items->at(2), maker().folder(), "fe02"),
            "- {name: fe02, role: agent, server: fe02.a.example, certificate: fe02.a.example}");
  auto anna = maker().make({*user_holder(Kind::Operator, "anna@example.org")}, {});
  ASSERT_TRUE(anna);
  EXPECT_EQ(line_of(anna->front(), maker().folder(), "anna@example.org"),
            "- {name: 'anna@example.org', role: operator, certificate: 'anna@example.org'}");
  auto server = maker().make({*server_holder("ns1.example", {})}, {});
  ASSERT_TRUE(server);
  EXPECT_EQ(line_of(server->front(), maker().folder(), ""),
            "tls: {certificate: " + path() + "/server/ns1.example.pem, key: " + path() +
                "/server/ns1.example.key, client_ca: " + path() + "/ca.pem}");
}

}  // namespace
}  // namespace sluice::ctl::pki
