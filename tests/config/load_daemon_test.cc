
#include "tests/config/refused.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

TEST(LoadDaemon, RefusesEachMistakeOfDnsStoreAndHealth) {
  expect_refused({
      {"dns:\n"
       "  listen: [\"127.0.0.1@0\"]\n",
       "", "t.yaml:1: dns: is missing: a responder needs dns.listen at least"},
      {"  listen: [\"127.0.0.1@0\"]\n", "  workers: auto\n",
       "t.yaml:2: dns.listen: is missing: addresses to answer on, [\"192.0.2.1@53\"]"},
      {"[\"127.0.0.1@0\"]", "[]",
       "t.yaml:2: dns.listen: must have at least one ADDRESS@PORT to answer on"},
      {"127.0.0.1@0", "127.0.0.1:53",
       "t.yaml:2: dns.listen[0]: must be ADDRESS@PORT such as 127.0.0.1@53 or ::1@53, is "
       "\"127.0.0.1:53\""},
      {"127.0.0.1@0", "localhost@53",
       "t.yaml:2: dns.listen[0]: must be ADDRESS@PORT such as 127.0.0.1@53 or ::1@53, is "
       "\"localhost@53\""},
      {"127.0.0.1@0", "127.0.0.1@65536",
       "t.yaml:2: dns.listen[0]: must be ADDRESS@PORT such as 127.0.0.1@53 or ::1@53, is "
       "\"127.0.0.1@65536\""},
      {"[\"127.0.0.1@0\"]", "[\"127.0.0.1@53\", \"127.0.0.1@53\"]",
       "t.yaml:2: dns.listen[1]: 127.0.0.1@53 is listened on already, line 2"},
      {"[\"127.0.0.1@0\"]", "[\"127.0.0.1@8053\"]",
       "t.yaml:4: api.listen[0]: 127.0.0.1@8053 is listened on already, line 2"},
      {"dns:\n",
       "user: \"\"\n"
       "dns:\n",
       "t.yaml:1: user: must not be empty"},
      {"dns:\n",
       "user: \"a b\"\n"
       "dns:\n",
       "t.yaml:1: user: must be the name of a user, is \"a b\""},
      {"dns:\n",
       "user: sluice:sluice\n"
       "dns:\n",
       "t.yaml:1: user: must be the name of a user, is sluice:sluice"},
      {"dns:\n",
       "user: [sluice]\n"
       "dns:\n",
       "t.yaml:1: user: must be text, is a list"},
      {"dns:\n",
       "dns:\n"
       "  identity: \"a b\"\n",
       "t.yaml:2: dns.identity: must be 1 to 255 visible ASCII characters, is \"a b\""},
      {"dns:\n",
       "dns:\n"
       "  workers: 0\n",
       "t.yaml:2: dns.workers: must be auto or 1..64, is 0"},
      {"dns:\n",
       "dns:\n"
       "  workers: 65\n",
       "t.yaml:2: dns.workers: must be auto or 1..64, is 65"},
      {"dns:\n",
       "dns:\n"
       "  workers: many\n",
       "t.yaml:2: dns.workers: must be auto or a number, 1..64, is many"},
      {"dns:\n",
       "dns:\n"
       "  max_udp_payload: 511\n",
       "t.yaml:2: dns.max_udp_payload: must be 512..4096, is 511"},
      {"dns:\n",
       "dns:\n"
       "  max_udp_payload: -1\n",
       "t.yaml:2: dns.max_udp_payload: must be 512..4096, is -1"},
      {"dns:\n",
       "dns:\n"
       "  max_udp_payload: 01232\n",
       "t.yaml:2: dns.max_udp_payload: must be a decimal number without leading zeros, 512..4096, "
       "is 01232"},
      {"dns:\n",
       "dns:\n"
       "  max_udp_payload: 0x4d0\n",
       "t.yaml:2: dns.max_udp_payload: must be a decimal number, 512..4096, is 0x4d0"},
      {"dns:\n",
       "dns:\n"
       "  max_udp_payload: 1232.0\n",
       "t.yaml:2: dns.max_udp_payload: must be a whole number, 512..4096, is 1232.0"},
      {"dns:\n",
       "dns:\n"
       "  max_udp_payload: \"1232\"\n",
       "t.yaml:2: dns.max_udp_payload: must be a number without quotes, 512..4096, is \"1232\""},
      {"dns:\n",
       "dns:\n"
       "  max_udp_payload: 99999999999999999999\n",
       "t.yaml:2: dns.max_udp_payload: must be 512..4096, is 99999999999999999999"},
      {"dns:\n",
       "dns:\n"
       "  max_udp_payload:\n",
       "t.yaml:2: dns.max_udp_payload: must be a number, 512..4096, is empty"},
      {"dns:\n",
       "dns:\n"
       "  max_udp_payload: [1232]\n",
       "t.yaml:2: dns.max_udp_payload: must be a number, 512..4096, is a list"},
      {"dns:\n",
       "dns:\n"
       "  max_udp_payload: 1e3\n",
       "t.yaml:2: dns.max_udp_payload: must be a number, 512..4096, is 1e3"},
      {"dns:\n",
       "dns:\n"
       "  version: \"tab\\there\"\n",
       "t.yaml:2: dns.version: must be hidden or 1 to 255 printable ASCII characters, is "
       "\"tab\\x09here\""},
      {"dns:\n",
       "dns:\n"
       "  hide_identity: yes\n",
       "t.yaml:2: dns.hide_identity: must be true or false, is yes"},
      {"dns:\n",
       "dns:\n"
       "  cookies: {secret: x}\n",
       "t.yaml:2: dns.cookies.secret: is not a known key; did you mean \"secrets\"?"},
      {"dns:\n",
       "dns:\n"
       "  cookies: {secrets: [e5e973e5a6b2a43f48e7dc849e37bfc]}\n",
       "t.yaml:2: dns.cookies.secrets[0]: must be 32 hex digits, 128 bits; `openssl rand -hex 16`"},
      {"dns:\n",
       "dns:\n"
       "  cookies:\n"
       "    secrets: [e5e973e5a6b2a43f48e7dc849e37bfcf,\n"
       "              E5E973E5A6B2A43F48E7DC849E37BFCF]\n",
       "t.yaml:4: dns.cookies.secrets[1]: is the secret of line 3 too"},
      {"dns:\n",
       "dns:\n"
       "  cookies: {secrets: [00000000000000000000000000000001, "
       "00000000000000000000000000000002, 00000000000000000000000000000003, "
       "00000000000000000000000000000004, 00000000000000000000000000000005]}\n",
       "t.yaml:2: dns.cookies.secrets[4]: is one too many: at most 4 verify"},
      {"dns:\n",
       "dns:\n"
       "  tcp: {idle: 10ms, message: 2h, connections: 0}\n",
       "t.yaml:2: dns.tcp.idle: must be 100ms..1h, is 10ms\n"
       "t.yaml:2: dns.tcp.message: must be 100ms..1h, is 2h\n"
       "t.yaml:2: dns.tcp.connections: must be auto or 1..1000000, is 0"},
      {"dns:\n",
       "dns:\n"
       "  rate_limit: {slip: 11, ipv4_prefix: 33, ipv6_prefix: 15, accounts: 1}\n",
       "t.yaml:2: dns.rate_limit.responses_per_second: is missing: answers about one name, "
       "1..100000\n"
       "t.yaml:2: dns.rate_limit.slip: must be 0..10, is 11\n"
       "t.yaml:2: dns.rate_limit.ipv4_prefix: must be 8..32, is 33\n"
       "t.yaml:2: dns.rate_limit.ipv6_prefix: must be 16..128, is 15\n"
       "t.yaml:2: dns.rate_limit.accounts: must be 64..4194304, is 1"},
      {"dns:\n",
       "dns:\n"
       "  rate_limit: {responses_per_second: 5, exempt: [192.0.2.1/24]}\n",
       "t.yaml:2: dns.rate_limit.exempt[0]: must be an address block such as 192.0.2.0/24 or "
       "2001:db8::/32, is 192.0.2.1/24"},
      {"health:",
       "store: {audit: {keep: 59m, entries: 999}}\n"
       "health:",
       "t.yaml:7: store.audit.keep: must be 1h..3650d, is 59m\n"
       "t.yaml:7: store.audit.entries: must be 1000..10000000, is 999"},
      {"health:",
       "store: {audit: {keep: 90, entry: 5}}\n"
       "health:",
       "t.yaml:7: store.audit.keep: needs a unit (such as 90s), 1h..3650d, is 90\n"
       "t.yaml:7: store.audit.entry: is not a known key; known here: keep, entries"},
      {"health:",
       "store: {audit: false}\n"
       "health:",
       "t.yaml:7: store.audit: must be a mapping (KEY: VALUE), is false"},
      {"health:", "memory_limit: 512\nhealth:",
       "t.yaml:7: memory_limit: must be auto or 16MiB..1024GiB, is 512"},
      {"health:", "memory_limit: 512MB\nhealth:",
       "t.yaml:7: memory_limit: must be auto or a size such as 512MiB or 2GiB, 16MiB..1024GiB, is "
       "512MB"},
      {"lease: 6s", "lease: 6",
       "t.yaml:8: health.lease: needs a unit (such as 6s), 300ms..10m, is 6"},
      {"lease: 6s", "lease: six seconds",
       "t.yaml:8: health.lease: must be a duration such as 90s, 15m or 1h30m, 300ms..10m, is six "
       "seconds"},
      {"lease: 6s", "lease: 11m", "t.yaml:8: health.lease: must be 300ms..10m, is 11m"},
      {"lease: 6s", "lease: 3s",
       "t.yaml:8: health.lease: must be at least two heartbeats, 4s, is 3s"},
      {"lease: 6s", "heartbeat: 4s",
       "t.yaml:8: health: lease must be at least two heartbeats, 8s, and is 6s by default: give "
       "one"},
      {"lease: 6s", "mass_loss: 50",
       "t.yaml:8: health.mass_loss: must be a percentage, 1%..100%, is 50"},
      {"lease: 6s", "mass_loss: 0%",
       "t.yaml:8: health.mass_loss: must be a percentage, 1%..100%, is 0%"},
      {"lease: 6s", "mass_loss: 101%",
       "t.yaml:8: health.mass_loss: must be a percentage, 1%..100%, is 101%"},
      {"lease: 6s", "horizon_margin: -1s",
       "t.yaml:8: health.horizon_margin: must be a duration such as 90s, 15m or 1h30m, 0s..1h, is "
       "-1s"},
  });
}

TEST(LoadDaemon, TakesEveryEdgeOfARange) {
  EXPECT_EQ(small_with("dns:\n", "dns:\n  workers: auto\n").dns.workers, 0U);
  EXPECT_EQ(small_with("health:", "memory_limit: auto\nhealth:").memory_limit, 0U);
  EXPECT_EQ(small_with("health:", "memory_limit: 512MiB\nhealth:").memory_limit, 512ULL << 20);
  EXPECT_EQ(small_with("dns:\n", "dns:\n  workers: 64\n").dns.workers, 64U);
  EXPECT_EQ(small_with("dns:\n", "dns:\n  max_udp_payload: 512\n").dns.max_udp_payload, 512);
  EXPECT_EQ(small_with("dns:\n", "dns:\n  max_udp_payload: 4096\n").dns.max_udp_payload, 4096);
  EXPECT_EQ(small_with("lease: 6s", "mass_loss: 1%").health.mass_loss, 1U);
  EXPECT_EQ(small_with("lease: 6s", "mass_loss: 100%").health.mass_loss, 100U);
  EXPECT_EQ(small_with("lease: 6s", "lease: 4s").health.lease, 4s);
  const Health quick = small_with("lease: 6s", "lease: 300ms\n  heartbeat: 100ms").health;
  EXPECT_EQ(quick.lease, 300ms);
  EXPECT_EQ(quick.heartbeat, 100ms);
}

TEST(LoadDaemon, ReadsWhatTheResponderSaysOfItself) {
  EXPECT_EQ(small_with("dns:\n", "dns:\n").dns.version, "Sluice " SLUICE_VERSION);
  const Dns hidden = small_with("dns:\n",
                                "dns:\n  version: hidden\n  hide_identity: true\n"
                                "  explain_stale: true\n")
                         .dns;
  EXPECT_EQ(hidden.version, "");
  EXPECT_TRUE(hidden.hide_identity);
  EXPECT_TRUE(hidden.explain_stale);
  EXPECT_EQ(small_with("dns:\n", "dns:\n  version: 9.9 x\n").dns.version, "9.9 x");
}

TEST(LoadDaemon, ReadsCookieSecretsInTheirOrder) {
  const Cookies none = small_with("dns:\n", "dns:\n").dns.cookies;
  EXPECT_TRUE(none.enabled);
  EXPECT_FALSE(none.required);
  EXPECT_TRUE(none.secrets.empty());
  const Cookies cookies =
      small_with("dns:\n",
                 "dns:\n"
                 "  cookies: {required: true, secrets: [e5e973e5a6b2a43f48e7dc849e37bfcf, "
                 "\"00000000000000000000000000000002\"]}\n")
          .dns.cookies;
  EXPECT_TRUE(cookies.required);
  ASSERT_EQ(cookies.secrets.size(), 2U);
  EXPECT_EQ(cookies.secrets[0].front(), 0xe5);
  EXPECT_EQ(cookies.secrets[1].back(), 2);
  EXPECT_FALSE(small_with("dns:\n", "dns:\n  cookies: {enabled: false}\n").dns.cookies.enabled);
}

TEST(LoadDaemon, ReadsARateLimit) {
  EXPECT_EQ(small_with("dns:\n", "dns:\n").dns.rate_limit.responses_per_second, 0U) << "off";
  const RateLimit limit =
      small_with("dns:\n",
                 "dns:\n  rate_limit: {responses_per_second: 20, exempt: [192.0.2.0/24, ::1]}\n")
          .dns.rate_limit;
  EXPECT_EQ(limit.responses_per_second, 20U);
  EXPECT_EQ(limit.burst, 100U);
  EXPECT_EQ(limit.slip, 2U);
  EXPECT_EQ(limit.ipv4_prefix, 24);
  EXPECT_EQ(limit.ipv6_prefix, 56);
  ASSERT_EQ(limit.exempt.size(), 2U);
  EXPECT_EQ(limit.exempt[1].to_string(), "::1/128");
  EXPECT_EQ(small_with("dns:\n", "dns:\n  rate_limit: {responses_per_second: 20, burst: 7}\n")
                .dns.rate_limit.burst,
            7U);
}

TEST(LoadDaemon, ListensTwiceOnAnAddressWhosePortTheKernelChooses) {
  EXPECT_EQ(small_with("[\"127.0.0.1@0\"]", "[127.0.0.1@0, 127.0.0.1@0]").dns.listen.size(), 2U);
}

TEST(LoadDaemon, KeepsTheAuditForSoLongAndSoManyEntries) {
  const auto store = [](const std::string& audit) {
    return small_with("health:", "store: {" + audit + "}\nhealth:").store;
  };
  EXPECT_EQ(store("directory: state").audit_keep, 90 * 24h);
  EXPECT_EQ(store("directory: state").audit_entries, 1'000'000U);
  EXPECT_EQ(store("audit: {keep: 1h, entries: 1000}").audit_keep, 1h);
  EXPECT_EQ(store("audit: {keep: 1h, entries: 1000}").audit_entries, 1'000U);
  EXPECT_EQ(store("audit: {keep: 3650d}").audit_keep, 3650 * 24h);
  EXPECT_EQ(store("audit: {entries: 10000000}").audit_entries, 10'000'000U);
}

TEST(LoadDaemon, ResolvesPathsAgainstTheFolderOfTheFile) {
  const auto directory = [](const char* text) {
    return small_with("health:", std::string("store: {directory: ") + text + "}\nhealth:")
        .store.directory;
  };
  EXPECT_EQ(directory("state"), "/etc/sluice/state");
  EXPECT_EQ(directory("../state"), "/etc/state");
  EXPECT_EQ(directory("/srv/state"), "/srv/state");
}

}  // namespace
}  // namespace sluice::config
