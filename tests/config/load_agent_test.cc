#include "config/load_agent.h"

#include "tests/config/refused.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

TEST(LoadAgent, RefusesEachMistake) {
  expect_agent_refused({
      {"authorities: [\"http://127.0.0.1:8053\"]\n", "",
       "t.yaml:1: authorities: is missing: where to push, [\"https://NAME:PORT\"]"},
      {"[\"http://127.0.0.1:8053\"]", "[]",
       "t.yaml:1: authorities: must have at least one authority to push to"},
      {"http://127.0.0.1:8053", "127.0.0.1@8053",
       "t.yaml:1: authorities[0]: must be a URL such as http://127.0.0.1:8053, is 127.0.0.1@8053"},
      {"127.0.0.1:8053", "127.0.0.1:65536",
       "t.yaml:1: authorities[0]: must be http://HOST:PORT with a name, an IPv4 address or [an "
       "IPv6 address], is http://127.0.0.1:65536"},
      {"127.0.0.1:8053", "127.0.0.1:8053/v1",
       "t.yaml:1: authorities[0]: must be https://HOST:PORT or http://HOST:PORT without a path, "
       "is http://127.0.0.1:8053/v1"},
      {"127.0.0.1:8053", "me@127.0.0.1:8053",
       "t.yaml:1: authorities[0]: must be http://HOST:PORT without a user"},
      {"127.0.0.1:8053", "::1:8053",
       "t.yaml:1: authorities[0]: must be http://HOST:PORT with a name, an IPv4 address or [an "
       "IPv6 address], is http://::1:8053"},
      {"[\"http://127.0.0.1:8053\"]", "[\"http://127.0.0.1:8053\", \"http://127.0.0.1:8053/\"]",
       "t.yaml:1: authorities[1]: http://127.0.0.1:8053 stands here twice"},
      {"token_file: a.token\n", "",
       "t.yaml:1: token_file: is missing: the file that holds this agent's token, or tls: "
       "{certificate:, key:}"},
      {"token_file: a.token\n", "tls: {ca: c}\n",
       "t.yaml:1: token_file: is missing: the file that holds this agent's token, or tls: "
       "{certificate:, key:}"},
      {"token_file: a.token\n", "tls: {certificate: a, key: b, ca: c}\n",
       "t.yaml:2: tls: the certificate cannot be shown to http://127.0.0.1:8053: write https://, "
       "or give token_file too"},
      {"token_file: a.token\n", "token_file: a\ntls: {certificate: a}\n",
       "t.yaml:3: tls.certificate: needs key, the file of its private key"},
      {"token_file: a.token\n", "token_file: a\ntls: {key: a}\n",
       "t.yaml:3: tls.key: needs certificate, the file of the certificate it is for"},
      {"token_file: a.token\n", "token_file: a\ntls: {}\n",
       "t.yaml:3: tls: must have certificate and key, or ca, or all"},
      {"token_file: a.token\n",
       "token_file: a\n"
       "tls: {cert: a}\n",
       "t.yaml:3: tls.cert: is not a known key; known here: certificate, key, ca"},
      {"token_file: a.token\n", "tls: {cert: a, key: b}\n",
       "t.yaml:2: tls.cert: is not a known key; known here: certificate, key, ca"},
      {"token_file: a.token", "token_file: \"\"", "t.yaml:2: token_file: must not be empty"},
      {"s1.example.org", "s1",
       "t.yaml:3: server: must be a full name such as fe01.pool01.contoso.example, is s1"},
      {"server: s1.example.org\n", "",
       "t.yaml:1: server: is missing: the full name of this server"},
      {"2s", "10ms", "t.yaml:4: heartbeat: must be 100ms..1m, is 10ms"},
      {"services:\n"
       "  web:\n"
       "    checks:\n"
       "      - {tcp: \"127.0.0.1@80\"}\n"
       "    sessions:\n"
       "      connections: {tcp_ports: [80]}\n",
       "", "t.yaml:1: services: is missing: what runs on this server"},
      {"services:\n"
       "  web:\n"
       "    checks:\n"
       "      - {tcp: \"127.0.0.1@80\"}\n"
       "    sessions:\n"
       "      connections: {tcp_ports: [80]}\n",
       "services: {}", "t.yaml:5: services: must have at least one service to push"},
      {"  web:", "  \"w b\":",
       "t.yaml:6: services.w b: must be one word, a DNS label: the label \"w b\" has more than "
       "letters, digits, - and _"},
      {"  web:\n",
       "  Web: {checks: [{tcp: 127.0.0.1@1}]}\n"
       "  web:\n",
       "t.yaml:7: services.web: web is already the name of the service in line 6"},
      {"    checks:\n"
       "      - {tcp: \"127.0.0.1@80\"}\n",
       "",
       "t.yaml:7: services.web: needs checks: (or unit: or pid_file:): nothing says whether it is "
       "up"},
      {"    checks:\n"
       "      - {tcp: \"127.0.0.1@80\"}\n",
       "    checks: []\n",
       "t.yaml:7: services.web: needs checks: (or unit: or pid_file:): nothing says whether it is "
       "up"},
      {"{tcp: \"127.0.0.1@80\"}", "{tcp: \"127.0.0.1@80\", command: [x]}",
       "t.yaml:8: services.web.checks[0]: needs one of tcp: ADDRESS@PORT, tls: ADDRESS@PORT, "
       "http: URL, sip: ADDRESS@PORT and command: [PROGRAM, ARGUMENT...]"},
      {"{tcp: \"127.0.0.1@80\"}", "{interval: 1s}",
       "t.yaml:8: services.web.checks[0]: needs one of tcp: ADDRESS@PORT, tls: ADDRESS@PORT, "
       "http: URL, sip: ADDRESS@PORT and command: [PROGRAM, ARGUMENT...]"},
      {"{tcp: \"127.0.0.1@80\"}", "",
       "t.yaml:9: services.web.checks[0]: must be a check, is empty"},
      {"{tcp: \"127.0.0.1@80\"}", "tcp",
       "t.yaml:8: services.web.checks[0]: must be a mapping (KEY: VALUE), is tcp"},
      {"{tcp: \"127.0.0.1@80\"}", "{tcp: \"127.0.0.1@0\"}",
       "t.yaml:8: services.web.checks[0].tcp: must name a port to connect to, is 127.0.0.1@0"},
      {"{tcp: \"127.0.0.1@80\"}", "{tcp: \"localhost:80\"}",
       "t.yaml:8: services.web.checks[0].tcp: must be ADDRESS@PORT such as 127.0.0.1@53 or ::1@53, "
       "is \"localhost:80\""},
      {"{tcp: \"127.0.0.1@80\"}", "{command: /bin/true}",
       "t.yaml:8: services.web.checks[0].command: must be a list: [\"/path/to/program\", "
       "\"argument\"]; no shell splits it"},
      {"{tcp: \"127.0.0.1@80\"}", "{command: []}",
       "t.yaml:8: services.web.checks[0].command: must have at least the program to run"},
      {"{tcp: \"127.0.0.1@80\"}", "{command: [/bin/true, [x]]}",
       "t.yaml:8: services.web.checks[0].command[1]: must be text, is a list"},
      {"{tcp: \"127.0.0.1@80\"}", "{tcp: \"127.0.0.1@80\", interval: 50ms}",
       "t.yaml:8: services.web.checks[0].interval: must be 100ms..1h, is 50ms"},
      {"{tcp: \"127.0.0.1@80\"}", "{tcp: \"127.0.0.1@80\", timeout: 3s}",
       "t.yaml:8: services.web.checks[0].timeout: must be 10ms..2s, is 3s"},
      {"{tcp: \"127.0.0.1@80\"}", "{tcp: \"127.0.0.1@80\", rise: 0, fal: 3}",
       "t.yaml:8: services.web.checks[0].rise: must be 1..20, is 0\n"
       "t.yaml:8: services.web.checks[0].fal: is not a known key; did you mean \"fall\"?"},
      {"    sessions:\n"
       "      connections: {tcp_ports: [80]}\n",
       "    sessions:\n",
       "t.yaml:9: services.web.sessions: is empty: {} says that there is nothing to count, which "
       "is zero; leave it out when sessions are not known"},
      {"{tcp_ports: [80]}", "{}",
       "t.yaml:10: services.web.sessions.connections: needs one of tcp_ports: [PORT...], "
       "udp_ports: "
       "[PORT...], command: [PROGRAM, ARGUMENT...], http: URL and file: PATH"},
      {"{tcp_ports: [80]}", "{tcp_ports: [80], command: [x]}",
       "t.yaml:10: services.web.sessions.connections: needs one of tcp_ports: [PORT...], "
       "udp_ports: "
       "[PORT...], command: [PROGRAM, ARGUMENT...], http: URL and file: PATH"},
      {"{tcp_ports: [80]}", "5",
       "t.yaml:10: services.web.sessions.connections: must be a mapping (KEY: VALUE), is 5"},
      {"[80]", "[80, 80]",
       "t.yaml:10: services.web.sessions.connections.tcp_ports[1]: 80 stands here twice: its "
       "sessions count once"},
      {"[80]", "[0]",
       "t.yaml:10: services.web.sessions.connections.tcp_ports[0]: must be 1..65535, is 0"},
      {"[80]", "[]",
       "t.yaml:10: services.web.sessions.connections.tcp_ports: must have at least one local port"},
      {"{tcp_ports: [80]}", "{udp_ports: []}",
       "t.yaml:10: services.web.sessions.connections.udp_ports: must have at least one local port"},
      {"{tcp_ports: [80]}", "{udp_ports: [80], tcp_ports: [80]}",
       "t.yaml:10: services.web.sessions.connections: needs one of tcp_ports: [PORT...], "
       "udp_ports: "
       "[PORT...], command: [PROGRAM, ARGUMENT...], http: URL and file: PATH"},
      {"{tcp_ports: [80]}", "{file: \"\"}",
       "t.yaml:10: services.web.sessions.connections.file: must not be empty"},
      {"{tcp_ports: [80]}", "{file: /run/count, max_age: 500ms}",
       "t.yaml:10: services.web.sessions.connections.max_age: must be 1s..365d, is 500ms"},
      {"{tcp_ports: [80]}", "{command: [x], max_age: 5s}",
       "t.yaml:10: services.web.sessions.connections.max_age: is not a known key; known here: "
       "tcp_ports, udp_ports, command, http, file"},
      {"      connections:",
       "      Connections: {tcp_ports: [81]}\n"
       "      connections:",
       "t.yaml:11: services.web.sessions.connections: connections is already the name of the "
       "counter in line 10"},
      {"{tcp_ports: [80]}", "{http: \"http://127.0.0.1:9100/metrics\"}",
       "t.yaml:10: services.web.sessions.connections.metric: is missing: the metric of the page "
       "that is the count"},
      {"{tcp_ports: [80]}", "{http: \"http://127.0.0.1/\", metric: active-calls}",
       "t.yaml:10: services.web.sessions.connections.metric: must be the name of a metric such as "
       "active_calls, is active-calls"},
      {"{tcp_ports: [80]}", "{http: \"http://127.0.0.1/\", metric: x, labels: [a]}",
       "t.yaml:10: services.web.sessions.connections.labels: must be a mapping (KEY: VALUE), is a "
       "list"},
      {"{tcp_ports: [80]}", "{http: \"http://127.0.0.1/\", metric: x, labels: {\"a:b\": c}}",
       "t.yaml:10: services.web.sessions.connections.labels.a:b: must be the name of a label such "
       "as state, is \"a:b\""},
      {"{tcp_ports: [80]}", "{http: \"127.0.0.1\", metric: x}",
       "t.yaml:10: services.web.sessions.connections.http: must be a URL such as "
       "http://127.0.0.1:8053, is 127.0.0.1"},
      {"    sessions:",
       "    unit: kamailio\n"
       "    sessions:",
       "t.yaml:9: services.web.unit: must be the name of a systemd unit such as kamailio.service, "
       "is kamailio"},
      {"heartbeat: 2s", "reboot: {delay: yes, at_most: 2d}",
       "t.yaml:4: reboot.delay: must be true or false, is yes\n"
       "t.yaml:4: reboot.at_most: must be 1s..1d, is 2d"},
      {"    sessions:",
       "    on_hold: \"kamcmd x\"\n"
       "    sessions:",
       "t.yaml:9: services.web.on_hold: must be a list: [\"/path/to/program\", \"argument\"]; no "
       "shell splits it"},
      {"heartbeat: 2s", "hartbeat: 2s",
       "t.yaml:4: hartbeat: is not a known key; did you mean \"heartbeat\"?"},
  });
}

AgentConfig agent_with(std::string_view from, std::string_view to) {
  auto loaded = load_agent_text(with(kSmallAgent, from, to), "/etc/sluice/agent.yaml");
  EXPECT_TRUE(loaded) << base::to_string(loaded.error());
  return loaded ? *std::move(loaded) : AgentConfig{};
}

TEST(LoadAgent, HasDefaultsForAllButWhoAndWhere) {
  const AgentConfig config = agent_with("heartbeat: 2s", "");
  EXPECT_EQ(config.heartbeat, 2s);
  EXPECT_EQ(config.state, "/var/lib/sluice-agent");
  EXPECT_EQ(config.socket.path, "/run/sluice-agent/agent.sock");
  EXPECT_EQ(config.socket.mode, 0660U);
  EXPECT_EQ(config.token_file, "/etc/sluice/a.token");
  EXPECT_FALSE(config.reboot.delay);
  EXPECT_EQ(config.reboot.at_most, 15min);
  EXPECT_TRUE(config.warnings.empty());
}

TEST(LoadAgent, TellsSessionsThatAreNotKnownFromNone) {
  const std::string counted = "    sessions:\n      connections: {tcp_ports: [80]}\n";
  EXPECT_FALSE(agent_with(counted, "").services[0].sessions);
  ASSERT_TRUE(agent_with(counted, "    sessions: {}\n").services[0].sessions);
  EXPECT_TRUE(agent_with(counted, "    sessions: {}\n").services[0].sessions->empty());
}

TEST(LoadAgent, TakesEachSourceOfSessions) {
  const auto source = [](const char* counter) {
    return agent_with("{tcp_ports: [80]}", counter).services[0].sessions->at(0).source;
  };
  const auto metric = std::get<HttpMetric>(source(
      "{http: \"http://127.0.0.1/metrics?a=b\", metric: \"a:b\", labels: {state: \"a b\"}}"));
  EXPECT_EQ(metric.url, "http://127.0.0.1/metrics?a=b");
  EXPECT_EQ(metric.metric, "a:b");
  EXPECT_EQ(metric.labels, (std::map<std::string, std::string>{{"state", "a b"}}));
  const auto secure = std::get<HttpMetric>(
      source("{http: \"https://localhost/\", metric: a, ca: ca.pem, name: a.example}"));
  EXPECT_EQ(secure.trust, (TlsTrust{"/etc/sluice/ca.pem", "a.example"}));
  EXPECT_EQ(std::get<UdpFlows>(source("{udp_ports: [5060, 5062]}")).ports,
            (std::vector<std::uint16_t>{5060, 5062}));
  const auto file = std::get<FileCount>(source("{file: run/calls}"));
  EXPECT_EQ(file.path, "/etc/sluice/run/calls");
  EXPECT_EQ(file.max_age, 2min);
  EXPECT_EQ(std::get<FileCount>(source("{file: /run/calls, max_age: 1d}")).max_age, 24h);
}

TEST(LoadAgent, TakesAPidFileInPlaceOfChecks) {
  const AgentConfig config =
      agent_with("    checks:\n      - {tcp: \"127.0.0.1@80\"}\n", "    pid_file: run/web.pid\n");
  EXPECT_EQ(config.services[0].pid_file, "/etc/sluice/run/web.pid");
  EXPECT_TRUE(config.services[0].checks.empty());
}

TEST(LoadAgent, ShortensTheDefaultTimeoutToTheInterval) {
  const Check check =
      agent_with("\"127.0.0.1@80\"", "\"127.0.0.1@80\", interval: 500ms").services[0].checks[0];
  EXPECT_EQ(check.interval, 500ms);
  EXPECT_EQ(check.timeout, 500ms);
}

TEST(LoadAgent, ResolvesCommandsThatAreNotLookedUpInPath) {
  const auto program = [](const char* command) {
    const AgentConfig config =
        agent_with("tcp: \"127.0.0.1@80\"", std::string("command: ") + command);
    return std::get<CommandCheck>(config.services[0].checks[0].probe).command;
  };
  EXPECT_EQ(program("[true]"), Command{"true"});
  EXPECT_EQ(program("[./check, 1]"), (Command{"/etc/sluice/check", "1"}));
  EXPECT_EQ(program("[/bin/check, \"a b\"]"), (Command{"/bin/check", "a b"}));
}

TEST(LoadAgent, TakesUrlsOfEachFormOfHost) {
  for (const char* url : {"http://127.0.0.1:8053", "http://[::1]:8053", "http://ns1.example.org",
                          "http://localhost:1"}) {
    EXPECT_EQ(agent_with("http://127.0.0.1:8053", url).authorities.at(0), url);
  }
  EXPECT_EQ(agent_with(":8053", ":8053/").authorities.at(0), "http://127.0.0.1:8053");
}

TEST(LoadAgent, TakesACertificateInPlaceOfATokenAndBesideIt) {
  const auto loaded =
      load_agent_text(with(with(kSmallAgent, "http:", "https:"), "token_file: a.token",
                           "tls: {certificate: tls/a.pem, key: /k.pem}"),
                      "/etc/sluice/agent.yaml");
  ASSERT_TRUE(loaded) << base::to_string(loaded.error());
  EXPECT_EQ(loaded->tls, (AgentTls{"/etc/sluice/tls/a.pem", "/k.pem", ""}));
  EXPECT_EQ(loaded->token_file, "");
  EXPECT_TRUE(loaded->warnings.empty());

  const auto both = load_agent_text(
      with(with(kSmallAgent, "http:", "https:"), "heartbeat: 2s", "tls: {ca: ca.pem}"), "/t.yaml");
  ASSERT_TRUE(both) << base::to_string(both.error());
  EXPECT_EQ(both->tls, (AgentTls{"", "", "/ca.pem"}));
  EXPECT_EQ(both->token_file, "/a.token");
}

TEST(LoadAgent, WarnsOfTlsThatNoAuthoritySpeaks) {
  const AgentConfig config = agent_with("heartbeat: 2s", "tls: {ca: c}");
  ASSERT_EQ(config.warnings.size(), 1U);
  EXPECT_EQ(base::to_string(config.warnings[0]),
            "/etc/sluice/agent.yaml:4: tls: has no effect: no authority is https://");
}

TEST(LoadAgent, WarnsOfATokenThatTravelsInTheClear) {
  for (const char* url : {"http://192.0.2.53:8053", "http://[2001:db8::1]", "http://ns1.example"}) {
    const AgentConfig config = agent_with("http://127.0.0.1:8053", url);
    ASSERT_EQ(config.warnings.size(), 1U) << url;
    EXPECT_EQ(base::to_string(config.warnings[0]),
              "/etc/sluice/agent.yaml:1: authorities[0]: " + std::string(url) +
                  " is not loopback and not https: who reads along on the network gets the token, "
                  "and may then speak for this server; write https:// and let the authority have "
                  "api.tls");
  }
  for (const char* url : {"http://127.9.9.9", "http://[::1]:1", "http://localhost:8053/",
                          "https://192.0.2.53:8443"}) {
    EXPECT_TRUE(agent_with("http://127.0.0.1:8053", url).warnings.empty()) << url;
  }
}

TEST(LoadAgent, DoesNotShowAPasswordInAUrl) {
  const auto loaded =
      load_agent_text(with(kSmallAgent, "http://127", "http://me:secret@127"), "t.yaml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(base::to_string(loaded.error()).find("secret"), std::string::npos);
}

TEST(LoadAgent, SaysWhyAFileCannotBeRead) {
  const auto missing = load_agent("/nonexistent/agent.yaml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(base::to_string(missing.error()),
            "/nonexistent/agent.yaml: can't be read: No such file or directory");
}

}  // namespace
}  // namespace sluice::config
