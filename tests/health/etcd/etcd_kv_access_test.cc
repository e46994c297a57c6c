#include <filesystem>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "health/etcd/etcd_kv.h"
#include "tests/config/base/certificates.h"
#include "tests/health/etcd/client.h"
#include "tests/health/etcd/etcd_process.h"

// A real etcd that asks who we are, over TLS, and among members that are none.
namespace sluice::etcd {
namespace {

using base::testing::Certified;
using cluster::Change;
using cluster::Failure;
using testing::ElementsAre;
using testing::HasSubstr;

// With user sluice, who may write what begins with /sluice/ alone.
void ask_for_users(const EtcdProcess& etcd) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"user", "add", "root:root"},
           {"user", "grant-role", "root", "root"},
           {"role", "add", "sluice"},
           {"role", "grant-permission", "sluice", "readwrite", "/sluice/", "/sluice0"},
           {"user", "add", "sluice:secret"},
           {"user", "grant-role", "sluice", "sluice"},
           {"auth", "enable"}}) {
    etcd.control(words);
  }
}

config::Etcd as_user(const EtcdProcess& etcd, const std::string& password = "secret") {
  config::Etcd given = settings({etcd.endpoint()});
  given.user = "sluice";
  given.password = password;
  return given;
}

TEST(EtcdKvUsers, WorksAsAUserWithThePrefixAlone) {
  const EtcdProcess etcd;
  ask_for_users(etcd);
  Client client(as_user(etcd));
  ASSERT_TRUE(client.list(""));
  client.watch(1);
  const std::int64_t put = client.put("turn", "ns1");
  EXPECT_EQ(client.list("")->entries, (std::vector{Change{"turn", "ns1", put, 0}}));
  EXPECT_TRUE(client.sees(1));
  const auto lease = client.grant(std::chrono::seconds(5));
  ASSERT_TRUE(lease);
  client.put("alive/ns1", "", *lease);
  EXPECT_TRUE(*client.renew(*lease));

  config::Etcd elsewhere = as_user(etcd);
  elsewhere.prefix = "/other";
  Client stranger(elsewhere);
  EXPECT_EQ(stranger.list("").error().kind, Failure::Kind::Refused);
  const auto refused = stranger.commit({}, {{"turn", "", 0}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Failure::Kind::Refused);
  EXPECT_THAT(refused.error().text, HasSubstr("permission denied"));
}

TEST(EtcdKvUsers, IsRefusedWithoutAPasswordThatIsRight) {
  const EtcdProcess etcd;
  ask_for_users(etcd);
  Client wrong(as_user(etcd, "guessed"));
  const auto refused = wrong.list("");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Failure::Kind::Refused);
  EXPECT_THAT(refused.error().text, HasSubstr("authentication failed"));
  Client nobody(settings({etcd.endpoint()}));
  EXPECT_EQ(nobody.list("").error().kind, Failure::Kind::Refused);
}

TEST(EtcdKvUsers, SaysAnewWhoItIsWhenItsTokenHasEnded) {
  EtcdProcess etcd;
  ask_for_users(etcd);
  Client client(as_user(etcd));
  ASSERT_TRUE(client.list(""));
  client.watch(client.put("turn", "1"));
  client.put("turn", "2");
  ASSERT_TRUE(client.sees(1));

  // Tokens live in memory.
  etcd.kill();
  etcd.start();
  ASSERT_TRUE(client.list(""));
  client.put("turn", "3");
  EXPECT_TRUE(client.sees(2)) << "the watch, too";
  EXPECT_EQ(client.seen.back().value, "3");
}

TEST(EtcdKvUsers, GoesOnWhenEtcdBeginsToAskForUsers) {
  const EtcdProcess etcd;
  Client client(as_user(etcd));
  client.put("turn", "1");
  EXPECT_THAT(client.notices, ElementsAre(HasSubstr("authentication is not enabled")));
  ask_for_users(etcd);
  ASSERT_TRUE(client.list(""));
  client.put("turn", "2");
}

class EtcdKvTls : public testing::Test {
 protected:
  EtcdKvTls() {
    folder_.put("ca.crt", authority_.certificate_pem());
    put("etcd", Certified({.subject = "etcd", .names = "IP:127.0.0.1"}, authority_));
    put("other", Certified({.subject = "etcd", .names = "DNS:etcd.example"}, authority_));
    put("ns1", Certified({.subject = "ns1"}, authority_));
    put("stranger", Certified({.subject = "ns1"}, Certified({.subject = "somebody"})));
  }
  void put(const std::string& name, const Certified& made) {
    folder_.put(name + ".crt", made.certificate_pem());
    folder_.put(name + ".key", made.key_pem());
  }
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }
  EtcdProcess::Tls server(const std::string& name) const {
    return {file(name + ".crt"), file(name + ".key"), file("ca.crt")};
  }
  config::Etcd shown(const EtcdProcess& etcd, const std::string& name) const {
    config::Etcd given = settings({etcd.endpoint()});
    given.ca = file("ca.crt");
    if (!name.empty()) given.certificate = file(name + ".crt");
    if (!name.empty()) given.key = file(name + ".key");
    return given;
  }

  base::testing::Folder folder_;
  Certified authority_{{.subject = "authority"}};
};

TEST_F(EtcdKvTls, ShowsItsCertificate) {
  const EtcdProcess etcd({}, server("etcd"));
  Client client(shown(etcd, "ns1"));
  client.watch(client.put("turn", "1"));
  client.put("turn", "2");
  EXPECT_TRUE(client.sees(1));
}

TEST_F(EtcdKvTls, IsNotLetInWithoutOneThatEtcdKnows) {
  const EtcdProcess etcd({}, server("etcd"));
  for (const std::string name : {"", "stranger"}) {
    Client client(shown(etcd, name));
    const auto committed = client.commit_once({}, {{"turn", "", 0}});
    ASSERT_FALSE(committed) << name;
    EXPECT_EQ(committed.error().kind, Failure::Kind::Unreachable);
  }
}

TEST_F(EtcdKvTls, SaysNothingToAMemberThatItDoesNotKnow) {
  const EtcdProcess etcd({}, server("etcd"));
  const EtcdProcess other({}, server("other"));
  Client wrong_name(shown(other, "ns1"));
  EXPECT_THAT(wrong_name.list_once("").error().text, HasSubstr("certificate"));

  config::Etcd given = shown(etcd, "ns1");
  folder_.put("others.crt", Certified({.subject = "others"}).certificate_pem());
  given.ca = file("others.crt");
  Client wrong_authority(given);
  EXPECT_THAT(wrong_authority.list_once("").error().text, HasSubstr("certificate"));
}

// Takes connections, as the kernel does for it, and never says a word.
class Mute {
 public:
  Mute() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(fd_, reinterpret_cast<const sockaddr*>(&address), size);
    listen(fd_, 16);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    endpoint_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~Mute() { close(fd_); }
  Mute(const Mute&) = delete;
  Mute& operator=(const Mute&) = delete;

  const std::string& endpoint() const { return endpoint_; }

 private:
  int fd_;
  std::string endpoint_;
};

TEST(EtcdKvMembers, ReadsFromTheNextWithinTheLimitWhenOneIsMute) {
  const EtcdProcess etcd;
  const Mute mute;
  Client client(settings({mute.endpoint(), etcd.endpoint()}));
  client.watch(1);
  const auto begin = std::chrono::steady_clock::now();
  const auto listing = client.list_once("");
  EXPECT_LE(std::chrono::steady_clock::now() - begin, kLate);
  ASSERT_TRUE(listing) << listing.error().text;
  client.put("turn", "1");
  EXPECT_TRUE(client.sees(1));
}

TEST(EtcdKvMembers, ATransactionToAMuteOneFailsInTimeAndTheNextIsDone) {
  const EtcdProcess etcd;
  const Mute mute;
  Client client(settings({mute.endpoint(), etcd.endpoint()}));
  const auto begin = std::chrono::steady_clock::now();
  const auto first = client.commit_once({}, {{"turn", "1", 0}});
  EXPECT_LE(std::chrono::steady_clock::now() - begin, kLate);
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().kind, Failure::Kind::Unreachable);
  client.put("turn", "2");
  EXPECT_EQ(client.list("")->entries.front().value, "2");
}

TEST(EtcdKvMembers, WritesToTheSecondWhenTheFirstIsNotThere) {
  const EtcdProcess etcd;
  Client client(settings({"http://127.0.0.1:" + std::to_string(free_port()), etcd.endpoint()}));
  EXPECT_GT(client.put("turn", "1"), 0);
  EXPECT_THAT(client.notices, ElementsAre(HasSubstr("; trying " + etcd.endpoint())));
}

}  // namespace
}  // namespace sluice::etcd
