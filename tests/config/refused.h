#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

#include "config/base/error.h"
#include "config/load.h"
#include "config/load_agent.h"

// Tables of mistakes: each is made in a small configuration that is right, and told in full.
namespace sluice::config {

inline constexpr std::string_view kSmall =
    R"(dns:
  listen: ["127.0.0.1@0"]
api:
  listen: ["127.0.0.1@8053"]
  tokens:
    - {name: ops, role: operator, sha256: ")"
    "00000000000000000000000000000000000000000000000000000000000000aa"
    R"("}
health:
  lease: 6s
services:
  web: {consolidates: [static]}
  chat:
zones:
  - name: example.org
    records: |
      @ 300 IN SOA ns1 hostmaster 1 3600 600 86400 10
pools:
  - fqdn: pool.example.org
    service: web
    ttl: 30s
    servers:
      - {fqdn: s1.example.org, addresses: [192.0.2.1]}
      - {fqdn: s2.example.org, addresses: [192.0.2.2], weight: 50}
    srv:
      - {name: _http._tcp, service: web, port: 80}
    features:
      - {name: chat, service: chat}
)";

inline constexpr std::string_view kSmallAgent = R"(authorities: ["http://127.0.0.1:8053"]
token_file: a.token
server: s1.example.org
heartbeat: 2s
services:
  web:
    checks:
      - {tcp: "127.0.0.1@80"}
    sessions:
      connections: {tcp_ports: [80]}
)";

// `text` with the first `from` replaced.
inline std::string with(std::string_view text, std::string_view from, std::string_view to) {
  std::string changed(text);
  const auto at = changed.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? changed : changed.replace(at, from.size(), to);
}

// kSmall, changed and loaded.
inline Config small_with(std::string_view from, std::string_view to) {
  auto loaded = load_text(with(kSmall, from, to), "/etc/sluice/t.yaml");
  EXPECT_TRUE(loaded) << base::to_string(loaded.error());
  return loaded ? *std::move(loaded) : Config{};
}

struct Mistake {
  std::string_view from;
  std::string_view to;
  std::string_view told;  // all errors, one to a line
};

inline void expect_refused(const std::vector<Mistake>& mistakes) {
  ASSERT_TRUE(load_text(std::string(kSmall), "t.yaml"));
  for (const Mistake& mistake : mistakes) {
    const auto loaded = load_text(with(kSmall, mistake.from, mistake.to), "t.yaml");
    ASSERT_FALSE(loaded) << "accepted: " << mistake.to;
    EXPECT_EQ(base::to_string(loaded.error()), mistake.told);
  }
}

inline void expect_agent_refused(const std::vector<Mistake>& mistakes) {
  ASSERT_TRUE(load_agent_text(std::string(kSmallAgent), "t.yaml"));
  for (const Mistake& mistake : mistakes) {
    const auto loaded = load_agent_text(with(kSmallAgent, mistake.from, mistake.to), "t.yaml");
    ASSERT_FALSE(loaded) << "accepted: " << mistake.to;
    EXPECT_EQ(base::to_string(loaded.error()), mistake.told);
  }
}

}  // namespace sluice::config
