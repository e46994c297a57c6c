#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include <unistd.h>

#include "tests/config/refused.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kEntry =
    R"(  - list: pools.zone
    service: web
    ttl: 30s
    min_accepting: 1
)";

constexpr std::string_view kTwoPools =
    "$ORIGIN example.org.\n"
    "s1.p1 A 10.0.0.1\n"
    "s1.p1 AAAA 2001:db8::1\n"
    "s2.p1 A 10.0.0.2\n"
    "s1.p2 A 10.0.0.3\n"
    "s2.p2 A 10.0.0.4\n";

class LoadList : public testing::Test {
 protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() /
             ("sluice-list-" + std::to_string(::getpid()) + '-' +
              testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  // The small configuration with that entry behind its pool, and that list.
  base::Result<Config, std::vector<base::Error>> load_with(std::string_view list,
                                                           std::string_view entry = kEntry) {
    std::ofstream(folder / "pools.zone") << list;
    std::string text(kSmall);
    text += entry;
    return load_text(text, (folder / "t.yaml").string());
  }

  // All that is said, with paths as they are relative to the folder.
  std::string told(std::string_view list, std::string_view entry = kEntry) {
    const auto loaded = load_with(list, entry);
    if (loaded) return "nothing";
    std::string text = base::to_string(loaded.error());
    const std::string prefix = folder.string() + '/';
    for (auto at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
      text.erase(at, prefix.size());
    }
    return text;
  }

  std::filesystem::path folder;
};

TEST_F(LoadList, MakesAPoolOfTheServersBelowOneName) {
  const auto loaded = load_with(kTwoPools);
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  ASSERT_EQ(loaded->pools.size(), 3U);
  const Pool& pool = loaded->pools[1];
  EXPECT_EQ(pool.fqdn, "p1.example.org");
  EXPECT_EQ(pool.service, "web");
  EXPECT_EQ(pool.ttl, 30s);
  ASSERT_EQ(pool.servers.size(), 2U);
  EXPECT_EQ(pool.servers[0].fqdn, "s1.p1.example.org");
  EXPECT_THAT(pool.servers[0].addresses, ElementsAre(*base::IpAddress::parse("10.0.0.1"),
                                                     *base::IpAddress::parse("2001:db8::1")));
  EXPECT_THAT(pool.servers[1].services, ElementsAre("web"));
  EXPECT_EQ(pool.servers[1].weight, 100);
  EXPECT_EQ(loaded->pools[2].servers[1].fqdn, "s2.p2.example.org");
}

TEST_F(LoadList, TakesRecordsInAnyOrder) {
  const auto loaded = load_with(
      "$ORIGIN example.org.\n"
      "s1.p1 A 10.0.0.1\ns1.p2 A 10.0.0.3\ns2.p1 A 10.0.0.2\ns1.p1 AAAA 2001:db8::1\n");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  ASSERT_EQ(loaded->pools.size(), 3U);
  EXPECT_EQ(loaded->pools[1].servers.size(), 2U);
  EXPECT_EQ(loaded->pools[1].servers[0].addresses.size(), 2U);
  EXPECT_EQ(loaded->pools[2].servers.size(), 1U);
}

TEST_F(LoadList, GivesEachPoolWhatTheEntrySays) {
  const auto loaded = load_with(kTwoPools, R"(  - list: pools.zone
    service: web
    ttl: 30s
    min_accepting: 2
    order: fixed
    when_all_held: {addresses: [10.9.9.9]}
    dns_load_balancing: false
    startup: {web: manual}
    srv:
      - {name: _http._tcp, service: web, port: 80}
    features:
      - {name: chat, service: chat}
)");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  for (const std::size_t number : {1U, 2U}) {
    const Pool& pool = loaded->pools[number];
    EXPECT_EQ(pool.min_accepting.number, 2U);
    EXPECT_EQ(pool.order, Order::Fixed);
    EXPECT_EQ(pool.when_all_held, WhenAllHeld::Addresses);
    EXPECT_THAT(pool.last_resort, ElementsAre(*base::IpAddress::parse("10.9.9.9")));
    EXPECT_FALSE(pool.dns_load_balancing);
    ASSERT_EQ(pool.srv.size(), 1U);
    EXPECT_EQ(pool.srv[0].port, 80);
    EXPECT_EQ(pool.features.at(0).name, "chat");
    EXPECT_THAT(pool.servers[0].services, ElementsAre("web", "chat"));
    EXPECT_EQ(pool.servers[1].startup.at("web"), Startup::Manual);
  }
}

TEST_F(LoadList, HasAFloorForEachSizeOfPool) {
  const std::string list = std::string(kTwoPools) + "s3.p2 A 10.0.0.5\ns1.p3 A 10.0.0.6\n";
  const auto loaded =
      load_with(list, with(kEntry, "min_accepting: 1", "min_accepting: {3: 2}") +
                          "    features:\n"
                          "      - {name: chat, service: chat, min_accepting: 50%}\n");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  ASSERT_EQ(loaded->pools.size(), 4U);
  const std::vector<unsigned> least{1, 2, 1};
  for (std::size_t number = 1; number < 4; ++number) {
    const Pool& pool = loaded->pools[number];
    EXPECT_EQ(pool.min_accepting.of(pool.servers.size()), least[number - 1]) << pool.fqdn;
    ASSERT_TRUE(pool.features.at(0).min_accepting);
    EXPECT_EQ(pool.features[0].min_accepting->kind, MinAccepting::Kind::Percentage);
  }
  EXPECT_THAT(told(list, with(kEntry, "min_accepting: 1", "min_accepting: 2")),
              HasSubstr("pools.zone:8: pools[1].list: the pool p3.example.org has 1 servers, less "
                        "than min_accepting (2)"));
}

TEST_F(LoadList, TellsTheMistakesOfTheListWithItsLines) {
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"s1.p1 A 10.0.0.1\n",
       "pools.zone:1: pools[1].list: has the relative name s1.p1: end it with a dot, or put "
       "$ORIGIN NAME. before it"},
      {"$ORIGIN example.org.\ns1.p1 A 10.0.0.1\ns2.p1 MX 1 a\ns3.p1 A 10.0.0\n",
       "pools.zone:3: pools[1].list: is a record of type MX: a list has A and AAAA records alone, "
       "others belong into zones:\n"
       "pools.zone:4: pools[1].list: must be an IPv4 address such as 192.0.2.1, is 10.0.0"},
      {"s1. A 10.0.0.1\nx.s1. A 10.0.0.2\n",
       "pools.zone:1: pools[1].list: must be a full name such as fe01.pool01.contoso.example, has "
       "one label\n"
       "pools.zone:2: pools[1].list: s1 is already the name of the server in line 1 of "},
      {"s1.p1.example.net. A 10.0.0.1\ns2.p1.example.net. A 10.0.0.2\n",
       "pools.zone:1: pools[1].list: the pool p1.example.net lies in no configured zone: add one "
       "to "
       "zones: that contains it"},
      {"s1.pool.example.org. A 10.0.0.1\n",
       "pools.zone:1: pools[1].list: pool.example.org is already the name of the pool in line 17"},
      {"chat.pool.example.org. A 10.0.0.1\n",
       "pools.zone:1: pools[1].list: chat.pool.example.org is already the name of the feature in "
       "line 26"},
      {"s1.p1.example.org. A 10.0.0.1\np1.example.org. A 10.0.0.2\n",
       "pools.zone:2: pools[1].list: p1.example.org is already the name of the pool in line 1 of "},
      {"s1.p1.example.org. A 10.0.0.1\na.s1.p1.example.org. A 10.0.0.2\n",
       "pools.zone:2: pools[1].list: s1.p1.example.org is already the name of the server in line 1 "
       "of "},
      {"s1.p1.example.org. A 10.0.0.1\ns1.p2.example.org. A 10.0.0.1\ns2.p1.example.org. A "
       "10.0.0.1",
       "pools.zone:3: pools[1].list: 10.0.0.1 is an address of the pool p1.example.org already, "
       "line 1"},
      {"; nothing\n", "t.yaml:27: pools[1].list: "},
  };
  for (const auto& [list, text] : mistakes) EXPECT_THAT(told(list), HasSubstr(text)) << list;
}

TEST_F(LoadList, FindsAnAddressTwiceInALargePool) {
  std::string list = "$ORIGIN p1.example.org.\n";
  for (int server = 1; server <= 100; ++server) {
    list += 's' + std::to_string(server) + " A 10.0.0." + std::to_string(server) + '\n';
  }
  ASSERT_TRUE(load_with(list));
  EXPECT_EQ(told(list + "s101 A 10.0.0.50\n"),
            "pools.zone:102: pools[1].list: 10.0.0.50 is an address of the pool p1.example.org "
            "already, line 51");
}

TEST_F(LoadList, TellsTheMistakesOfTheEntryWithItsLines) {
  const std::string entry(kEntry);
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {with(entry, "pools.zone", "none.zone"), "can't be read: No such file or directory"},
      {with(entry, "    service: web\n", ""),
       "t.yaml:27: pools[1].service: is missing: one of services:"},
      {entry + "    fqdn: p9.example.org\n",
       "t.yaml:31: pools[1].fqdn: must not stand beside list: the list names the pools and their "
       "servers"},
      {entry + "    servers: []\n", "t.yaml:31: pools[1].servers: must not stand beside list"},
      {with(entry, "min_accepting: 1", "min_accepting: 3"),
       "pools.zone:2: pools[1].list: the pool p1.example.org has 2 servers, less than "
       "min_accepting "
       "(3): no drain would ever be accepted"},
      {entry + "    features: [{name: chat, service: chat, min_accepting: 3}]\n",
       "pools.zone:2: pools[1].list: the pool p1.example.org has 2 servers, less than "
       "min_accepting of chat (3): no drain would ever be accepted"},
      {with(entry, "min_accepting: 1", "min_accepting: 101%"),
       "t.yaml:30: pools[1].min_accepting: must be a percentage, 0%..100%, is 101%"},
      {entry + "    when_all_held: {addresses: [10.0.0.4]}\n",
       "pools.zone:6: pools[1].list: 10.0.0.4 answers as the last resort: a server that is held "
       "would come back by it"},
      {entry + "    features: [{name: s1, service: web}]\n",
       "t.yaml:31: pools[1].features[0].name: s1.p1.example.org is already the name of the server "
       "in "
       "line 2 of "},
      {entry + "    startup: {mail: manual}\n",
       "t.yaml:31: pools[1].startup.mail: the server runs no service mail; it runs web"},
      {with(entry, "ttl: 30s", "ttl: 900d"), "t.yaml:29: pools[1].ttl: must be 0s..7d, is 900d"},
      {entry + "    colour: red\n", "t.yaml:31: pools[1].colour: is not a known key"},
  };
  for (const auto& [changed, text] : mistakes) {
    EXPECT_THAT(told(kTwoPools, changed), HasSubstr(text)) << changed;
  }
}

TEST_F(LoadList, FindsNamesThatClashInALaterPoolAlone) {
  const std::string list = std::string(kTwoPools) + "chat.p2 A 10.0.0.9\n";
  EXPECT_THAT(told(list, std::string(kEntry) + "    features: [{name: chat, service: chat}]\n"),
              HasSubstr("t.yaml:27: pools[1].list: chat.p2.example.org is already the name of the "
                        "server in line 7 of "));
}

TEST_F(LoadList, StopsAfterTwentyMistakes) {
  std::string list;
  for (int line = 0; line < 100; ++line) list += "a b\n";
  const std::string text = told(list);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 20);
  EXPECT_THAT(text, HasSubstr("pools.zone:20: pools[1].list: the rest was not read"));
}

TEST_F(LoadList, LetsTokensNameItsServers) {
  std::ofstream(folder / "pools.zone") << kTwoPools;
  std::string text = with(kSmall, "health:\n",
                          "    - {name: a, role: agent, server: s2.p2.example.org, sha256: \"" +
                              std::string(64, 'b') + "\"}\nhealth:\n");
  text += kEntry;
  const auto loaded = load_text(text, (folder / "t.yaml").string());
  EXPECT_TRUE(loaded) << base::to_string(loaded.error());
}

}  // namespace
}  // namespace sluice::config
