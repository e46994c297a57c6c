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
