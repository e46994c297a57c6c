// Checks, units and hooks of the agent's services.

#include "tests/config/refused.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kCheck = "{tcp: \"127.0.0.1@80\"}";

std::string web(std::string_view problem) {
  return "t.yaml:8: services.web.checks[0]" + std::string(problem);
}

AgentService service_with(std::string_view from, std::string_view to) {
  const auto loaded = load_agent_text(with(kSmallAgent, from, to), "/etc/sluice/agent.yaml");
  EXPECT_TRUE(loaded) << base::to_string(loaded.error());
  return loaded ? loaded->services.at(0) : AgentService{};
}

template <class Kind>
Kind check(std::string_view text) {
  return std::get<Kind>(service_with(kCheck, text).checks.at(0).probe);
}

TEST(LoadChecks, ReadsTls) {
  const auto plain = check<TlsCheck>("{tls: \"::1@443\"}");
  EXPECT_EQ(plain.target.to_string(), "::1@443");
  EXPECT_EQ(plain.trust.ca, "");
  const auto trusted =
      check<TlsCheck>("{tls: \"127.0.0.1@443\", ca: ca.pem, name: www.example.org}");
  EXPECT_EQ(trusted.trust.ca, "/etc/sluice/ca.pem");
  EXPECT_EQ(trusted.trust.name, "www.example.org");
}

TEST(LoadChecks, ReadsHttp) {
  EXPECT_TRUE(check<HttpCheck>("{http: \"http://127.0.0.1/health\"}").status.empty());
  const auto one = check<HttpCheck>("{http: \"http://127.0.0.1/health\", status: 204}");
  EXPECT_EQ(one.url, "http://127.0.0.1/health");
  EXPECT_EQ(one.status, (std::vector<std::uint16_t>{204}));
  const auto two = check<HttpCheck>("{http: \"https://[::1]:8443/\", status: [200, 401], ca: /ca}");
  EXPECT_EQ(two.status, (std::vector<std::uint16_t>{200, 401}));
  EXPECT_EQ(two.trust.ca, "/ca");
}

TEST(LoadChecks, ReadsSip) {
  const auto udp = check<SipCheck>("{sip: \"127.0.0.1@5060\"}");
  EXPECT_EQ(udp.transport, SipCheck::Transport::Udp);
  EXPECT_TRUE(udp.status.empty());
  const auto tcp = check<SipCheck>("{sip: \"127.0.0.1@5060\", transport: tcp, status: [200, 404]}");
  EXPECT_EQ(tcp.transport, SipCheck::Transport::Tcp);
  EXPECT_EQ(tcp.status, (std::vector<std::uint16_t>{200, 404}));
}

TEST(LoadChecks, RefusesEachMistake) {
  const std::vector<std::pair<std::string, std::string>> mistakes{
      {"{sip: \"127.0.0.1@0\"}", ".sip: must name a port to connect to, is 127.0.0.1@0"},
      {"{sip: \"127.0.0.1@1\", transport: sctp}", ".transport: must be udp or tcp, is sctp"},
      {"{sip: \"127.0.0.1@1\", status: 100}", ".status: must be 200..699, is 100"},
      {"{http: \"http://h/\", status: [200, 600]}", ".status[1]: must be 100..599, is 600"},
      {"{http: \"http://h/\", status: []}",
       ".status: must have at least one status; leave it out for any 2xx"},
      {"{http: \"ftp://h/\"}", ".http: must be a URL such as http://127.0.0.1:8053, is ftp://h/"},
      {"{http: \"https://me@h/\"}", ".http: must be http://HOST:PORT without a user"},
      {"{http: \"http://h/\", ca: x}",
       ".ca: is not a known key; known here: tcp, tls, http, sip, command, status, interval, "
       "timeout, rise, fall"},
      {"{tls: \"127.0.0.1@443\", http: \"http://h/\"}",
       ": needs one of tcp: ADDRESS@PORT, tls: ADDRESS@PORT, http: URL, sip: ADDRESS@PORT and "
       "command: [PROGRAM, ARGUMENT...]"},
  };
  for (const auto& [text, told] : mistakes) {
    const std::string whole = web(told);
    expect_agent_refused({{kCheck, text, whole}});
  }
}

TEST(LoadUnits, TakesOneOrSeveralInPlaceOfChecks) {
  constexpr std::string_view kChecks = "    checks:\n      - {tcp: \"127.0.0.1@80\"}\n";
  EXPECT_EQ(service_with(kChecks, "    unit: a@1.service\n").units,
            (std::vector<std::string>{"a@1.service"}));
  EXPECT_EQ(service_with(kChecks, "    units: [a.service, b.service]\n").units,
            (std::vector<std::string>{"a.service", "b.service"}));
}

TEST(LoadUnits, RefusesEachMistake) {
  expect_agent_refused({
      {"    checks:", "    units: []\n    checks:",
       "t.yaml:7: services.web.units: must have at least one unit"},
      {"    checks:", "    units: [a.service, a.service]\n    checks:",
       "t.yaml:7: services.web.units[1]: a.service stands here twice"},
      {"    checks:", "    unit: a.service\n    units: [b.service]\n    checks:",
       "t.yaml:8: services.web.units: stands beside unit: one of them names them all"},
      {"    checks:", "    units: [a]\n    checks:",
       "t.yaml:7: services.web.units[0]: must be the name of a systemd unit such as "
       "kamailio.service, is a"},
  });
}

TEST(LoadUnits, WarnsOfAPidFileThatIsNotRead) {
  const auto loaded = load_agent_text(
      with(kSmallAgent, "    checks:", "    unit: a.service\n    pid_file: /run/a\n    checks:"),
      "t.yaml");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->services[0].pid_file, "");
  ASSERT_EQ(loaded->warnings.size(), 1U);
  EXPECT_EQ(base::to_string(loaded->warnings[0]),
            "t.yaml:8: services.web.pid_file: is not read: the unit tells more");
}

TEST(LoadHooks, TakesACommandAloneOrWithItsTimeLimit) {
  const AgentService service =
      service_with("    checks:",
                   "    on_hold: [refuse]\n    on_resume: {command: [./take, 1], timeout: 1m}\n"
                   "    checks:");
  EXPECT_EQ(service.on_hold.command, Command{"refuse"});
  EXPECT_EQ(service.on_hold.timeout, 10s);
  EXPECT_EQ(service.on_resume.command, (Command{"/etc/sluice/take", "1"}));
  EXPECT_EQ(service.on_resume.timeout, 1min);
}

TEST(LoadHooks, RefusesEachMistake) {
  expect_agent_refused({
      {"    checks:", "    on_hold: {timeout: 1m}\n    checks:",
       "t.yaml:7: services.web.on_hold.command: is missing: [PROGRAM, ARGUMENT...], what to run"},
      {"    checks:", "    on_hold: {command: [x], timeout: 1h}\n    checks:",
       "t.yaml:7: services.web.on_hold.timeout: must be 100ms..10m, is 1h"},
  });
}

}  // namespace
}  // namespace sluice::config
