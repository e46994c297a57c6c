#include "config/load.h"

#include "tests/config/refused.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

TEST(Load, RefusesAShapeThatIsNoConfiguration) {
  expect_refused({
      {"health:", "healht:", "t.yaml:7: healht: is not a known key; did you mean \"health\"?"},
      {"    ttl: 30s", "    colour: red",
       "t.yaml:19: pools[0].colour: is not a known key; known here: list, fqdn, service, srv, "
       "features, "
       "servers, ttl, min_accepting, when_all_held, dns_load_balancing, order, answer_size, "
       "slow_start"},
      {"    ttl: 30s", "    tll: 30s",
       "t.yaml:19: pools[0].tll: is not a known key; did you mean \"ttl\"?"},
      {"  lease: 6s",
       "  lease: 6s\n"
       "  lease: 7s",
       "t.yaml:9: health.lease: is given twice: first in line 8"},
      {"health:\n"
       "  lease: 6s",
       "health: fast", "t.yaml:7: health: must be a mapping (KEY: VALUE), is fast"},
      {"health:\n"
       "  lease: 6s",
       "health: [lease]", "t.yaml:7: health: must be a mapping (KEY: VALUE), is a list"},
      {"  listen: [\"127.0.0.1@0\"]", "  listen: {a: b}",
       "t.yaml:2: dns.listen: must be a list, is a mapping"},
      {"  listen: [\"127.0.0.1@0\"]", "  listen: 127.0.0.1@53",
       "t.yaml:2: dns.listen: must be a list, is 127.0.0.1@53"},
      {"  lease: 6s", "  <<: {lease: 6s}",
       "t.yaml:8: health.<<: merge keys are not part of YAML 1.2: write them out"},
      {"[\"127.0.0.1@0\"]", "[\"127.0.0.1@0\"",
       "t.yaml:3: not YAML: end of sequence flow not found"},
      {"  lease: 6s", "\011lease: 6s",
       "t.yaml:8: not YAML: illegal map value (a tab before it: YAML is indented by spaces)"},
      {"health:",
       "---\n"
       "health:",
       "t.yaml:7: a second document starts here: a configuration is one"},
      {"lease: 6s", "lease: !!str 6s",
       "t.yaml:8: tags (!) have no meaning here: the place of a value says what it is"},
      {"lease: 6s", "lease: *nothing", "t.yaml:8: not YAML: the referenced anchor is not defined"},
      {"  chat:\n",
       "  ? [a, b]\n"
       "  : c\n",
       "t.yaml:11: a key must be a word, is a list or a mapping"},
      {"lease: 6s", "lease: 6s\004", "t.yaml:8: octet 0x04 is not text: a control character"},
      {"lease: 6s", "lease: 6s # \377", "t.yaml:8: octet 0xff is not UTF-8"},
  });
}

std::string told(const std::string& text) {
  const auto loaded = load_text(text, "t.yaml");
  return loaded ? "" : base::to_string(loaded.error());
}

TEST(Load, TellsAllErrorsOfAFileInLineOrder) {
  std::string text = with(kSmall, "lease: 6s", "lease: 6");
  text = with(text, "weight: 50", "weight: 500");
  text = with(text, "ttl: 30s", "tll: 30s");
  text = with(text, "role: operator", "role: boss");
  text = with(text, "127.0.0.1@0", "127.0.0.1:53");
  EXPECT_EQ(told(text),
            "t.yaml:2: dns.listen[0]: must be ADDRESS@PORT such as 127.0.0.1@53 or ::1@53, is "
            "\"127.0.0.1:53\"\n"
            "t.yaml:6: api.tokens[0].role: must be reader, operator or agent, is boss\n"
            "t.yaml:8: health.lease: needs a unit (such as 6s), 300ms..10m, is 6\n"
            "t.yaml:19: pools[0].tll: is not a known key; did you mean \"ttl\"?\n"
            "t.yaml:22: pools[0].servers[1].weight: must be 0..255, is 500");
}

TEST(Load, RefusesWhatIsNoMapping) {
  EXPECT_EQ(told(""), "t.yaml: is empty");
  EXPECT_EQ(told("# nothing\n"), "t.yaml: is empty");
  EXPECT_EQ(told("- a\n"), "t.yaml:1: must be a mapping (KEY: VALUE), is a list");
  EXPECT_EQ(told("text"), "t.yaml:1: must be a mapping (KEY: VALUE), is text");
  EXPECT_EQ(told("---\n"), "t.yaml: is empty");
}

TEST(Load, NeedsOnlyAddressesToListenOn) {
  const auto loaded = load_text("dns: {listen: [127.0.0.1@0]}", "t.yaml");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  EXPECT_FALSE(loaded->dns.identity.empty());
  EXPECT_EQ(loaded->dns.max_udp_payload, 1232);
  EXPECT_EQ(loaded->store.directory, "/var/lib/sluice");
  EXPECT_EQ(loaded->api.socket.path, "");
  EXPECT_TRUE(loaded->pools.empty());
}

TEST(Load, TakesBlocksInAnyOrder) {
  const auto dns = kSmall.find("services:");
  const std::string turned = std::string(kSmall.substr(dns)) + std::string(kSmall.substr(0, dns));
  EXPECT_EQ(told(turned), "");
}

TEST(Load, TakesABlockWhoseLinesAreAllCommentsAsDefaults) {
  const Config config = small_with("  lease: 6s", "  # lease: 6s");
  EXPECT_EQ(config.health.lease, 6s);
}

TEST(Load, TakesWindowsLineEndsAndAByteOrderMark) {
  std::string text = "\xef\xbb\xbf";
  for (const char c : kSmall) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const auto loaded = load_text(text, "t.yaml");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  EXPECT_EQ(loaded->zones[0].origin.line, 15);
}

TEST(Load, TakesAnAliasForAWholeValue) {
  std::string text = with(kSmall, "addresses: [192.0.2.1]}",
                          "addresses: [192.0.2.1], services: &all [web, chat]}");
  text = with(text, "weight: 50", "services: *all");
  const auto loaded = load_text(text, "t.yaml");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  EXPECT_EQ(loaded->pools[0].servers[1].services, loaded->pools[0].servers[0].services);
}

TEST(Load, TellsAMistakeBehindAnAliasWhereItStands) {
  std::string text =
      with(kSmall, "addresses: [192.0.2.1]}", "addresses: [192.0.2.1], services: &all [mail]}");
  text = with(text, "weight: 50", "services: *all");
  EXPECT_EQ(told(text),
            "t.yaml:21: pools[0].servers[0].services[0]: the pool names no service mail; it names "
            "web, chat\n"
            "t.yaml:21: pools[0].servers[1].services[0]: the pool names no service mail; it names "
            "web, chat");
}

TEST(Load, SaysWhyAFileCannotBeRead) {
  const auto missing = load("/nonexistent/sluice.yaml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(base::to_string(missing.error()),
            "/nonexistent/sluice.yaml: can't be read: No such file or directory");
  const auto folder = load("/tmp");
  ASSERT_FALSE(folder);
  EXPECT_EQ(base::to_string(folder.error()), "/tmp: can't be read: Is a directory");
}

}  // namespace
}  // namespace sluice::config
