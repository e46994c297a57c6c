
#include "tests/config/refused.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

TEST(LoadPools, RefusesEachMistakeOfAPool) {
  expect_refused({
      {"name: example.org", "name: example.net",
       "t.yaml:17: pools[0].fqdn: pool.example.org lies in no configured zone: add one to zones: "
       "that contains it"},
      {"  - fqdn: pool.example.org\n"
       "    service",
       "  - service", "t.yaml:17: pools[0].fqdn: is missing: the name that the servers answer for"},
      {"fqdn: pool.example.org", "fqdn: 192.0.2.1",
       "t.yaml:17: pools[0].fqdn: must be a name, is the address 192.0.2.1"},
      {"fqdn: pool.example.org", "fqdn: pool..example.org",
       "t.yaml:17: pools[0].fqdn: must be a DNS name: a label is empty (two dots in a row, or one "
       "at an end), is pool..example.org"},
      {"fqdn: pool.example.org",
       "fqdn: pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp.example.org",
       "t.yaml:17: pools[0].fqdn: must be a DNS name: the label "
       "\"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp...\" has 64 octets, 63 at "
       "most, is pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp..."},
      {"fqdn: pool.example.org",
       "fqdn: "
       "abcdefghi.abcdefghi.abcdefghi.abcdefghi.abcdefghi.abcdefghi.abcdefghi.abcdefghi.abcdefghi."
       "abcdefghi.abcdefghi.abcdefghi.abcdefghi.abcdefghi.abcdefghi.abcdefghi.abcdefghi.abcdefghi."
       "abcdefghi.abcdefghi.abcdefghi.abcdefghi.abcdefghi.abcdefghi.abcdefghi.example.org",
       "t.yaml:17: pools[0].fqdn: must be a DNS name of at most 253 octets, has 261"},
      {"fqdn: pool.example.org", "fqdn: pool.example.com",
       "t.yaml:17: pools[0].fqdn: pool.example.com lies in no configured zone: add one to zones: "
       "that contains it"},
      {"fqdn: pool.example.org", "fqdn: poolexample.org",
       "t.yaml:17: pools[0].fqdn: poolexample.org lies in no configured zone: add one to zones: "
       "that contains it"},
      {"    service: web\n", "    service: webb\n",
       "t.yaml:18: pools[0].service: must be one of services:, is webb; did you mean \"web\"?"},
      {"    service: web\n", "    service: static\n",
       "t.yaml:18: pools[0].service: static is a component, line 10: name the service that "
       "consolidates it"},
      {"ttl: 30s", "ttl: 1500ms", "t.yaml:19: pools[0].ttl: must be whole seconds, is 1s500ms"},
      {"ttl: 30s", "ttl: 8d", "t.yaml:19: pools[0].ttl: must be 0s..7d, is 8d"},
      {"    ttl: 30s", "    when_all_held: servfail",
       "t.yaml:19: pools[0].when_all_held: must be nodata, serve_held or {addresses: [...]}, is "
       "servfail"},
      {"    ttl: 30s", "    when_all_held: {addresses: []}",
       "t.yaml:19: pools[0].when_all_held.addresses: must have at least one address that answers "
       "as the last resort"},
      {"    ttl: 30s", "    when_all_held: {addresses: [192.0.2.2]}",
       "t.yaml:19: pools[0].when_all_held.addresses[0]: 192.0.2.2 is an address of this pool "
       "already, line 21"},
      {"    ttl: 30s", "    when_all_held: {address: 192.0.2.9}",
       "t.yaml:19: pools[0].when_all_held.addresses: is missing: what answers as the last resort\n"
       "t.yaml:19: pools[0].when_all_held.address: is not a known key; did you mean "
       "\"addresses\"?"},
      {"    ttl: 30s", "    order: alphabetical",
       "t.yaml:19: pools[0].order: must be rotate, random, weighted or fixed, is alphabetical"},
      {"    ttl: 30s", "    answer_size: some",
       "t.yaml:19: pools[0].answer_size: must be all or a number, 1..65535, is some"},
      {"    ttl: 30s", "    answer_size: 0",
       "t.yaml:19: pools[0].answer_size: must be all or 1..65535, is 0"},
      {"    ttl: 30s", "    answer_size: 65536",
       "t.yaml:19: pools[0].answer_size: must be all or 1..65535, is 65536"},
      {"    ttl: 30s", "    answer_size: [2]",
       "t.yaml:19: pools[0].answer_size: must be all or a number, 1..65535, is a list"},
      {"    ttl: 30s", "    slow_start: 30",
       "t.yaml:19: pools[0].slow_start: needs a unit (such as 30s), 0s..1h, is 30"},
      {"    ttl: 30s", "    slow_start: 61m",
       "t.yaml:19: pools[0].slow_start: must be 0s..1h, is 61m"},
      {"    ttl: 30s", "    dns_load_balancing: yes",
       "t.yaml:19: pools[0].dns_load_balancing: must be true or false, is yes"},
      {"    servers:\n"
       "      - {fqdn: s1.example.org, addresses: [192.0.2.1]}\n"
       "      - {fqdn: s2.example.org, addresses: [192.0.2.2], weight: 50}\n",
       "", "t.yaml:17: pools[0].servers: is missing: at least one"},
      {"    servers:\n"
       "      - {fqdn: s1.example.org, addresses: [192.0.2.1]}\n"
       "      - {fqdn: s2.example.org, addresses: [192.0.2.2], weight: 50}\n",
       "    servers: []\n", "t.yaml:20: pools[0].servers: must have at least one server"},
  });
}

Pool pool_of(std::string_view line) {
  const Config config = small_with("    ttl: 30s", "    " + std::string(line));
  return config.pools.empty() ? Pool{} : config.pools.front();
}

TEST(LoadPools, TakesEachPolicy) {
  EXPECT_EQ(pool_of("ttl: 0s").ttl, 0s);
  EXPECT_EQ(pool_of("ttl: 7d").ttl, 168h);
  EXPECT_EQ(pool_of("when_all_held: nodata").when_all_held, WhenAllHeld::NoData);
  EXPECT_EQ(pool_of("when_all_held: serve_held").when_all_held, WhenAllHeld::ServeHeld);
  EXPECT_EQ(pool_of("order: rotate").order, Order::Rotate);
  EXPECT_EQ(pool_of("order: random").order, Order::Random);
  EXPECT_EQ(pool_of("order: weighted").order, Order::Weighted);
  EXPECT_EQ(pool_of("order: fixed").order, Order::Fixed);
  EXPECT_FALSE(pool_of("dns_load_balancing: false").dns_load_balancing);
  EXPECT_EQ(pool_of("answer_size: all").answer_size, 0U);
  EXPECT_EQ(pool_of("answer_size: 2").answer_size, 2U);
  EXPECT_EQ(pool_of("answer_size: 9").answer_size, 9U) << "more than the pool has servers";
  EXPECT_EQ(pool_of("slow_start: 30s").slow_start, 30s);
  EXPECT_EQ(pool_of("slow_start: 0s").slow_start, 0s);
  EXPECT_EQ(pool_of("ttl: 1s").slow_start, 0s) << "unless asked for";
}

TEST(LoadPools, TakesALastResort) {
  const Pool pool = pool_of("when_all_held: {addresses: [192.0.2.9, \"2001:db8::9\"]}");
  EXPECT_EQ(pool.when_all_held, WhenAllHeld::Addresses);
  ASSERT_EQ(pool.last_resort.size(), 2U);
  EXPECT_EQ(pool.last_resort[1].to_string(), "2001:db8::9");
}

TEST(LoadPools, MayStandAtTheApexOrBelowAnyZone) {
  for (const char* zone : {"pool.example.org", "example.org", "org"}) {
    const auto loaded =
        load_text(with(kSmall, "name: example.org", "name: " + std::string(zone)), "t.yaml");
    EXPECT_TRUE(loaded) << zone;
  }
}

TEST(LoadPools, DoesNotFollowOneMistakeWithOthers) {
  expect_refused({
      {"    service: web\n", "    service: wob\n",
       "t.yaml:18: pools[0].service: must be one of services:, is wob; did you mean \"web\"?"},
      {"name: example.org", "name: example..org",
       "t.yaml:13: zones[0].name: must be a DNS name: a label is empty (two dots in a row, or one "
       "at an end), is example..org"},
  });
}

// 100,000 pools are a file that operators have: nothing may be quadratic.
TEST(LoadPools, LoadsManyInTimeThatGrowsWithTheirNumber) {
  std::string text(kSmall.substr(0, kSmall.find("pools:")));
  text += "pools:\n";
  constexpr int kPools = 3'000;
  for (int i = 0; i < kPools; ++i) {
    const std::string number = std::to_string(i);
    text += "  - {fqdn: p" + number + ".example.org, service: web, servers: [{fqdn: s" + number +
            ".example.org, addresses: [192.0.2.1]}]}\n";
  }
  const auto loaded = load_text(text, "t.yaml");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->pools.size(), kPools);
  // As many mistakes, each with a name to look for.
  for (std::size_t at = 0; (at = text.find("service: web,", at)) != std::string::npos; at += 12) {
    text[at + 11] = 'd';
  }
  const auto refused = load_text(text, "t.yaml");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().size(), kPools);
}

}  // namespace
}  // namespace sluice::config
