
#include "tests/config/refused.h"

namespace sluice::config {
namespace {

TEST(LoadMembers, RefusesEachMistakeOfServersSrvAndFeatures) {
  expect_refused({
      {"fqdn: s1.example.org", "fqdn: s1",
       "t.yaml:21: pools[0].servers[0].fqdn: must be a full name such as "
       "fe01.pool01.contoso.example, is s1"},
      {"fqdn: s1.example.org", "fqdn: S2.example.org.",
       "t.yaml:22: pools[0].servers[1].fqdn: s2.example.org is already the name of the server in "
       "line 21"},
      {"fqdn: s1.example.org", "fqdn: pool.example.org",
       "t.yaml:21: pools[0].servers[0].fqdn: pool.example.org is already the name of the pool in "
       "line 17"},
      {"fqdn: s1.example.org", "fqdn: chat.pool.example.org",
       "t.yaml:21: pools[0].servers[0].fqdn: chat.pool.example.org is already the name of the "
       "feature in line 26"},
      {"weight: 50", "weight: 256",
       "t.yaml:22: pools[0].servers[1].weight: must be 0..255, is 256"},
      {"weight: 50", "weight: 50, weight: 60",
       "t.yaml:22: pools[0].servers[1].weight: is given twice: first in line 22"},
      {"[192.0.2.1]", "[192.0.2.256]",
       "t.yaml:21: pools[0].servers[0].addresses[0]: must be an address such as 192.0.2.1 or "
       "2001:db8::1, is 192.0.2.256"},
      {"[192.0.2.1]", "[]",
       "t.yaml:21: pools[0].servers[0].addresses: must have at least one address"},
      {"[192.0.2.1]", "[192.0.2.1, 192.0.2.1]",
       "t.yaml:21: pools[0].servers[0].addresses[1]: 192.0.2.1 is an address of this pool already, "
       "line 21"},
      {"[192.0.2.1]", "[192.0.2.2]",
       "t.yaml:22: pools[0].servers[1].addresses[0]: 192.0.2.2 is an address of this pool already, "
       "line 21"},
      {"[192.0.2.1]", "[\"::\"]",
       "t.yaml:21: pools[0].servers[0].addresses[0]: must be the address of one machine, is ::"},
      {"[192.0.2.1]", "[\"ff02::1\"]",
       "t.yaml:21: pools[0].servers[0].addresses[0]: must be the address of one machine, is "
       "ff02::1"},
      {"weight: 50", "domain: rack a",
       "t.yaml:22: pools[0].servers[1].domain: must be one word such as rack-a, 1 to 63 letters, "
       "digits or any of -_., is rack a"},
      {"weight: 50", "domain: [rack-a]",
       "t.yaml:22: pools[0].servers[1].domain: must be text, is a list"},
      {"weight: 50", "services: [mail]",
       "t.yaml:22: pools[0].servers[1].services[0]: the pool names no service mail; it names web, "
       "chat"},
      {"weight: 50", "services: []",
       "t.yaml:22: pools[0].servers[1].services: must have at least one service; left out, the "
       "server runs all of its pool"},
      {"weight: 50", "services: [web, web]",
       "t.yaml:22: pools[0].servers[1].services[1]: web stands here twice"},
      {"weight: 50", "startup: {mail: manual}",
       "t.yaml:22: pools[0].servers[1].startup.mail: the server runs no service mail; it runs web, "
       "chat"},
      {"weight: 50", "services: [web], startup: {chat: manual}",
       "t.yaml:22: pools[0].servers[1].startup.chat: the server runs no service chat; it runs web"},
      {"weight: 50", "startup: {web: sometimes}",
       "t.yaml:22: pools[0].servers[1].startup.web: must be automatic or manual, is sometimes"},
      {"addresses: [192.0.2.1]}\n"
       "      - {fqdn: s2.example.org, addresses: [192.0.2.2], weight: 50}",
       "addresses: [192.0.2.1], services: [web]}",
       "t.yaml:25: pools[0].features[0].service: no server of the pool runs chat: add it to the "
       "services of one, or drop this"},
      {"_http._tcp", "http.tcp",
       "t.yaml:24: pools[0].srv[0].name: must be _service._proto such as _sip._tcp (RFC 2782), is "
       "http.tcp"},
      {"_http._tcp", "_http._tcp.x",
       "t.yaml:24: pools[0].srv[0].name: must be _service._proto such as _sip._tcp (RFC 2782), is "
       "_http._tcp.x"},
      {"port: 80", "port: 0", "t.yaml:24: pools[0].srv[0].port: must be 1..65535, is 0"},
      {", port: 80", "", "t.yaml:24: pools[0].srv[0].port: is missing: 1..65535"},
      {"port: 80", "port: 80, priority: 65536",
       "t.yaml:24: pools[0].srv[0].priority: must be 0..65535, is 65536"},
      {"    srv:\n",
       "    srv:\n"
       "      - {name: _HTTP._tcp, service: chat, port: 81}\n",
       "t.yaml:25: pools[0].srv[1].name: _http._tcp.pool.example.org is already the name of the "
       "srv entry in line 24"},
      {"_http._tcp, service: web", "_http._tcp, service: mail",
       "t.yaml:24: pools[0].srv[0].service: must be one of services:, is mail"},
      {"    features:\n",
       "    features:\n"
       "      - {name: chat, service: web}\n",
       "t.yaml:27: pools[0].features[1].name: chat.pool.example.org is already the name of the "
       "feature in line 26"},
      {"name: chat", "name: chat.",
       "t.yaml:26: pools[0].features[0].name: must be relative to the pool, without a final dot, "
       "is chat."},
      {"name: chat",
       "name: "
       "a123456789.a123456789.a123456789.a123456789.a123456789.a123456789.a123456789.a123456789."
       "a123456789.a123456789.a123456789.a123456789.a123456789.a123456789.a123456789.a123456789."
       "a123456789.a123456789.a123456789.a123456789.a123456789.a123456789.a",
       "t.yaml:26: pools[0].features[0].name: with the pool's name it has 260 octets; a DNS name "
       "has at most 253"},
      {"name: chat", "name: \"a b\"",
       "t.yaml:26: pools[0].features[0].name: must be a DNS name: the label \"a b\" has more than "
       "letters, digits, - and _, is a b"},
  });
}

TEST(LoadMembers, RunAllThatThePoolNamesInItsOrder) {
  const std::string text =
      with(kSmall, "service: web, port: 80}",
           "service: chat, port: 80}\n"
           "      - {name: _https._tcp, service: web, port: 443, priority: 7}");
  const auto loaded = load_text(text, "t.yaml");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  const Pool& pool = loaded->pools[0];
  EXPECT_EQ(pool.servers[0].services, (std::vector<std::string>{"web", "chat"}));
  EXPECT_EQ(pool.servers[0].weight, 100);
  EXPECT_EQ(pool.servers[1].weight, 50);
  EXPECT_EQ(pool.srv[0].priority, 0);
  EXPECT_EQ(pool.srv[1].port, 443);
  EXPECT_EQ(pool.srv[1].priority, 7);
}

TEST(LoadMembers, RunWhatTheySay) {
  const auto loaded =
      load_text(with(kSmall, "weight: 50", "services: [Chat], startup: {CHAT: manual}"), "t.yaml");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  const Server& server = loaded->pools[0].servers[1];
  EXPECT_EQ(server.services, std::vector<std::string>{"chat"});
  EXPECT_EQ(server.startup.at("chat"), Startup::Manual);
}

TEST(LoadMembers, StandInADomain) {
  const auto loaded = load_text(with(kSmall, "weight: 50", "domain: DC-1.rack_07"), "t.yaml");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  EXPECT_EQ(loaded->pools[0].servers[0].domain, "") << "none unless it says so";
  EXPECT_EQ(loaded->pools[0].servers[1].domain, "dc-1.rack_07") << "in lower case as all names";
}

TEST(LoadMembers, MayHaveNamesInNoConfiguredZone) {
  const auto loaded = load_text(with(kSmall, "s1.example.org", "s1.example.net"), "t.yaml");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  EXPECT_EQ(loaded->pools[0].servers[0].fqdn, "s1.example.net");
}

TEST(LoadMembers, MayHaveTheWeightsZeroAnd255) {
  for (const char* weight : {"0", "255"}) {
    const auto loaded =
        load_text(with(kSmall, "weight: 50", "weight: " + std::string(weight)), "t.yaml");
    ASSERT_TRUE(loaded);
    EXPECT_EQ(std::to_string(loaded->pools[0].servers[1].weight), weight);
  }
}

TEST(LoadMembers, OfDifferentPoolsMayShareAnAddressButNoName) {
  const std::string second =
      "  - {fqdn: two.example.org, service: web, servers: [{fqdn: NAME, addresses: "
      "[192.0.2.1]}]}\n";
  const std::string text = std::string(kSmall) + second;
  EXPECT_TRUE(load_text(with(text, "NAME", "s3.example.org"), "t.yaml"));
  const auto refused = load_text(with(text, "NAME", "s1.example.org"), "t.yaml");
  ASSERT_FALSE(refused);
  EXPECT_EQ(base::to_string(refused.error()),
            "t.yaml:27: pools[1].servers[0].fqdn: s1.example.org is already the name of the server "
            "in line 21");
}

}  // namespace
}  // namespace sluice::config
