
#include "tests/config/refused.h"

namespace sluice::config {
namespace {

TEST(LoadApi, RefusesEachMistakeOfListenersAndTokens) {
  expect_refused({
      {"\"127.0.0.1@8053\"", "\"192.0.2.1@8053\"",
       "t.yaml:4: api.listen[0]: must be a loopback address (127.0.0.1 or ::1), is 192.0.2.1@8053: "
       "others need api.tls, such as tls: {certificate: api.crt, key: api.key}"},
      {"\"127.0.0.1@8053\"", "\"0.0.0.0@8053\"",
       "t.yaml:4: api.listen[0]: must be a loopback address (127.0.0.1 or ::1), is 0.0.0.0@8053: "
       "others need api.tls, such as tls: {certificate: api.crt, key: api.key}"},
      {"[\"127.0.0.1@8053\"]\n"
       "  tokens:\n",
       "[\"192.0.2.1@8053\"]\n"
       "  tokens:\n"
       "    - {name: x, role: reader, sha256: "
       "1ff7f1e5d133b23a547985eb2958192d528902f21f7b5f2a6cd122226b17200d}\n",
       "t.yaml:4: api.listen[0]: must be a loopback address (127.0.0.1 or ::1), is 192.0.2.1@8053: "
       "others need api.tls, such as tls: {certificate: api.crt, key: api.key}\n"
       "t.yaml:6: api.tokens[0].sha256: is a token of the example, which everybody knows: make one "
       "(sluicectl token) before api.listen has an address that is not loopback"},
      {"  tokens:",
       "  socket: {path: s, mode: \"888\"}\n"
       "  tokens:",
       "t.yaml:5: api.socket.mode: must be permissions in octal such as \"0660\", is \"888\""},
      {"  tokens:",
       "  socket: {mode: \"0660\"}\n"
       "  tokens:",
       "t.yaml:5: api.socket.path: is missing: where the socket is to be"},
      {"  tokens:",
       "  socket: "
       "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
       "  tokens:",
       "t.yaml:5: api.socket: must be a path of at most 107 octets for a unix socket, has 121: "
       "/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."},
      {"role: operator", "role: admin",
       "t.yaml:6: api.tokens[0].role: must be reader, operator or agent, is admin"},
      {"00aa\"", "aa\"",
       "t.yaml:6: api.tokens[0].sha256: must be the token's SHA-256, 64 hex digits; see sluicectl "
       "token"},
      {"00aa\"", "00zz\"",
       "t.yaml:6: api.tokens[0].sha256: must be the token's SHA-256, 64 hex digits; see sluicectl "
       "token"},
      {", sha256: \"00000000000000000000000000000000000000000000000000000000000000aa\"", "",
       "t.yaml:6: api.tokens[0].sha256: is missing: of its token, 64 hex digits; see sluicectl "
       "token; or certificate: NAME"},
      {"sha256: \"00000000000000000000000000000000000000000000000000000000000000aa\"",
       "certificate: ops.example.org",
       "t.yaml:6: api.tokens[0].certificate: needs api.tls.client_ca, a file with the certificates "
       "of who signs those of clients"},
      {"role: operator", "role: operator, server: s1.example.org",
       "t.yaml:6: api.tokens[0].server: is for role agent alone: operators and readers see all "
       "servers"},
      {"role: operator", "role: operator, pools: [pol.example.org]",
       "t.yaml:6: api.tokens[0].pools[0]: no pool is named pol.example.org; did you mean "
       "\"pool.example.org\"?"},
      {"role: operator", "role: operator, pools: [s1.example.org]",
       "t.yaml:6: api.tokens[0].pools[0]: no pool is named s1.example.org; did you mean "
       "\"pool.example.org\"?"},
      {"role: operator", "role: operator, pools: [pool.example.org, Pool.Example.ORG.]",
       "t.yaml:6: api.tokens[0].pools[1]: names pool.example.org a second time"},
      {"role: operator", "role: operator, pools: []",
       "t.yaml:6: api.tokens[0].pools: must name at least one pool; leave it out for an operator "
       "of all"},
      {"role: operator", "role: reader, pools: [pool.example.org]",
       "t.yaml:6: api.tokens[0].pools: is for role operator alone: readers see all pools"},
      {"role: operator", "role: agent, server: s1.example.org, pools: [pool.example.org]",
       "t.yaml:6: api.tokens[0].pools: is for role operator alone: an agent speaks for one server"},
      {"role: operator", "role: agent",
       "t.yaml:6: api.tokens[0].server: is missing: an agent speaks for one server, by its full "
       "name"},
      {"role: operator", "role: agent, server: s3.example.org",
       "t.yaml:6: api.tokens[0].server: no pool has a server s3.example.org; did you mean "
       "\"s1.example.org\" or \"s2.example.org\"?"},
      {"role: operator", "role: agent, server: pool.example.org",
       "t.yaml:6: api.tokens[0].server: no pool has a server pool.example.org; did you mean "
       "\"s1.example.org\" or \"s2.example.org\"?"},
      {"role: operator", "role: agent, server: s1",
       "t.yaml:6: api.tokens[0].server: must be a full name such as fe01.pool01.contoso.example, "
       "is s1"},
      {"  tokens:\n",
       "  tokens:\n"
       "    - {name: ops, role: reader, sha256: "
       "\"00000000000000000000000000000000000000000000000000000000000000bb\"}\n",
       "t.yaml:7: api.tokens[1].name: ops is already the name of the token in line 6"},
      {"  tokens:\n",
       "  tokens:\n"
       "    - {name: other, role: reader, sha256: "
       "\"00000000000000000000000000000000000000000000000000000000000000aa\"}\n",
       "t.yaml:7: api.tokens[1].sha256: is the token of line 6 too"},
      {"name: ops", "name: \"ops team\"",
       "t.yaml:6: api.tokens[0].name: must be 1 to 64 letters, digits or any of ._-@+, is ops "
       "team"},
      {"  listen: [\"127.0.0.1@8053\"]\n", "  socket: run/s.sock\n",
       "t.yaml:6: api.tokens: need api.listen, where they are shown; on the socket the file's "
       "permissions decide"},
  });
}

TEST(LoadApi, TakesASocketAsAPathOrAsABlock) {
  const auto socket = [](std::string_view text) {
    const auto loaded =
        load_text(with(kSmall, "  tokens:", "  socket: " + std::string(text) + "\n  tokens:"),
                  "/etc/sluice/t.yaml");
    EXPECT_TRUE(loaded) << base::to_string(loaded.error());
    return loaded ? loaded->api.socket : UnixSocket{};
  };
  EXPECT_EQ(socket("run/s.sock").path, "/etc/sluice/run/s.sock");
  EXPECT_EQ(socket("run/s.sock").mode, 0660U);
  const UnixSocket block = socket("{path: /run/s.sock, group: wheel, mode: 0600}");
  EXPECT_EQ(block.path, "/run/s.sock");
  EXPECT_EQ(block.group, "wheel");
  EXPECT_EQ(block.mode, 0600U);
}

TEST(LoadApi, TakesAnAgentsTokenForAServerInAnyCase) {
  const auto loaded =
      load_text(with(kSmall, "role: operator", "role: agent, server: S1.Example.ORG."), "t.yaml");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  EXPECT_EQ(loaded->api.tokens[0].server, "s1.example.org");
}

TEST(LoadApi, LimitsAnOperatorToPoolsInAnyCase) {
  const auto loaded = load_text(
      with(kSmall, "role: operator", "role: operator, pools: [Pool.Example.ORG.]"), "t.yaml");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  EXPECT_EQ(loaded->api.tokens[0].pools, std::vector<std::string>{"pool.example.org"});
  EXPECT_TRUE(load_text(std::string(kSmall), "t.yaml")->api.tokens[0].pools.empty());
}

TEST(LoadApi, TakesTheExamplesTokensOnLoopback) {
  const auto loaded =
      load_text(with(kSmall, "00000000000000000000000000000000000000000000000000000000000000aa",
                     "0BAB5450AE8B03547EB2EBFF2A550ADEEB66743FB34E0EAC1EFF8EA1EDAC73CA"),
                "t.yaml");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
}

TEST(LoadApi, NeverShowsWhatStandsWhereAHashShould) {
  const auto loaded =
      load_text(with(kSmall, "00000000000000000000000000000000000000000000000000000000000000aa",
                     "my-secret-token"),
                "t.yaml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(base::to_string(loaded.error()).find("my-secret"), std::string::npos);
}

TEST(LoadApi, NeverShowsControlCharactersAsTheyAre) {
  expect_refused({{"role: operator", "role: \"\\e[31mred\"",
                   "t.yaml:6: api.tokens[0].role: must be reader, operator or agent, is "
                   "\"\\x1b[31mred\""}});
}

}  // namespace
}  // namespace sluice::config
