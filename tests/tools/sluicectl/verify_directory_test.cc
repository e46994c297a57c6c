#include "gtest/gtest.h"

#include "tools/sluicectl/verify/directory.h"

namespace sluice::ctl {
namespace {

base::SocketAddress at(const char* text) {
  return *base::SocketAddress::parse(text);
}

TEST(ZoneOf, IsTheLongestThatHasTheName) {
  const std::vector<Responder> responders{{"ns1", {}, {"example", "p.example", "other"}}};
  EXPECT_EQ(zone_of("_sip._tcp.p.example", responders), "p.example");
  EXPECT_EQ(zone_of("p.example", responders), "p.example");
  EXPECT_EQ(zone_of("xp.example", responders), "example") << "no label of that zone";
  EXPECT_FALSE(zone_of("p.test", responders));
}

TEST(Reachable, AListenerOnEveryAddressIsAskedWhereTheApiIs) {
  const Endpoint socket{Endpoint::Kind::Socket, "/run/sluice.sock"};
  const Endpoint url{Endpoint::Kind::Url, "http://192.0.2.7:8053"};
  const Endpoint v6{Endpoint::Kind::Url, "https://[2001:db8::7]:8053"};
  EXPECT_EQ(reachable(at("192.0.2.1@53"), {url}), at("192.0.2.1@53"));
  EXPECT_EQ(reachable(at("0.0.0.0@5353"), {url}), at("192.0.2.7@5353"));
  EXPECT_EQ(reachable(at("::@53"), {v6}), at("2001:db8::7@53"));
  EXPECT_EQ(reachable(at("0.0.0.0@53"), {socket}), at("127.0.0.1@53"));
  EXPECT_EQ(reachable(at("::@53"), {socket, url}), at("::1@53")) << "the defaults, both local";
}

ClusterResponder responder(const char* name, std::vector<std::string> dns,
                           std::vector<std::string> api = {}) {
  ClusterResponder made;
  made.name = name;
  made.alive = true;
  made.dns = std::move(dns);
  made.api = std::move(api);
  return made;
}

TEST(ClusterTargets, AreTheOthersThatAreAlive) {
  Cluster cluster;
  cluster.responders = {responder("ns1", {"192.0.2.1@53"}), responder("ns2", {"192.0.2.2@53"}),
                        responder("ns3", {"192.0.2.3@53"})};
  cluster.responders[0].self = true;
  cluster.responders[2].alive = false;
  const ClusterTargets found = cluster_targets(cluster);
  ASSERT_EQ(found.targets.size(), 1U);
  EXPECT_EQ(found.targets[0].address, at("192.0.2.2@53"));
  EXPECT_EQ(found.targets[0].who, "responder ns2");
  EXPECT_EQ(found.targets[0].source, Source::Responder);
  EXPECT_EQ(found.notes, std::vector<std::string>{"responder ns3 is not asked: it is lost"});
}

TEST(ClusterTargets, AreReachedByWhatTheySayOfThemselves) {
  const auto addresses = [](ClusterResponder other) {
    Cluster cluster;
    cluster.responders = {std::move(other)};
    std::vector<base::SocketAddress> all;
    for (const Target& each : cluster_targets(cluster).targets) all.push_back(each.address);
    return all;
  };
  using All = std::vector<base::SocketAddress>;
  EXPECT_EQ(addresses(responder("ns2", {"0.0.0.0@53", "::@53"}, {"192.0.2.2@8053"})),
            All{at("192.0.2.2@53")})
      << "everywhere: where its API is, of the same family";
  EXPECT_EQ(addresses(responder("ns2", {"127.0.0.1@53", "192.0.2.2@53"})), All{at("192.0.2.2@53")})
      << "its loopback is not ours";
  EXPECT_EQ(addresses(responder("ns2", {"127.0.0.2@5353"})), All{at("127.0.0.2@5353")})
      << "unless there is nothing else: a rehearsal on one machine";
  EXPECT_EQ(addresses(responder("ns2", {"0.0.0.0@53"}, {"0.0.0.0@8053"})), All{});
}

TEST(ClusterTargets, WhoSaysNoAddressIsANote) {
  Cluster cluster;
  cluster.responders = {responder("ns2", {"0.0.0.0@53", "nonsense"})};
  const ClusterTargets found = cluster_targets(cluster);
  EXPECT_TRUE(found.targets.empty());
  ASSERT_EQ(found.notes.size(), 1U);
  EXPECT_NE(found.notes[0].find("responder ns2 is not asked: it says no address"),
            std::string::npos);
}

TEST(AddTarget, NobodyIsAskedTwice) {
  const std::vector<Responder> responders{{"ns1", {at("192.0.2.1@53"), at("192.0.2.2@53")}, {}}};
  std::vector<Target> targets = responder_targets(responders, {});
  add_target(targets, {at("192.0.2.2@53"), Source::NameServer, "NS ns2.p.example"});
  add_target(targets, {at("192.0.2.3@53"), Source::Resolver, "resolver"});
  ASSERT_EQ(targets.size(), 3U);
  EXPECT_EQ(targets[1].who, "responder ns1, NS ns2.p.example");
  EXPECT_EQ(targets[1].source, Source::Responder);
}

}  // namespace
}  // namespace sluice::ctl
