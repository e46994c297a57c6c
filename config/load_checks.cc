// The checks of a service of the agent.

#include <algorithm>
#include <array>

#include "config/agent_blocks.h"
#include "config/files.h"
#include "config/mapping.h"
#include "config/url.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;

base::SocketAddress read_target(const Value& value) {
  const auto target = value.socket_address();
  if (!target) return {};
  if (target->port == 0) {
    value.reject("must name a port to connect to, is " + target->to_string());
  }
  return *target;
}

// One number or a list of them.
std::vector<std::uint16_t> read_status(Mapping& block, std::uint16_t min, std::uint16_t max) {
  std::vector<std::uint16_t> statuses;
  const auto status = block.find("status");
  if (!status) return statuses;
  const auto read = [&](const Value& value) {
    if (const auto number = value.number(min, max)) {
      statuses.push_back(static_cast<std::uint16_t>(*number));
    }
  };
  if (status->kind() == Document::Kind::Scalar) {
    read(*status);
    return statuses;
  }
  const std::size_t before = status->findings().size();
  status->each(read);
  if (statuses.empty() && status->findings().size() == before) {
    status->reject("must have at least one status; leave it out for any 2xx");
  }
  return statuses;
}

HttpCheck read_http(const Value& url, Mapping& block, const AgentReading& reading) {
  HttpCheck check;
  if (const auto text = url.text()) {
    auto checked = check_web_url(*text);
    if (!checked) url.reject(checked.error());
    check.url = checked ? *std::move(checked) : "";
  }
  check.status = read_status(block, 100, 599);
  if (check.url.starts_with("https:")) check.trust = read_trust(block, reading);
  return check;
}

SipCheck read_sip(const Value& target, Mapping& block) {
  SipCheck check;
  check.target = read_target(target);
  if (const auto transport = block.find("transport")) {
    if (transport->word({"udp", "tcp"}) == 1U) check.transport = SipCheck::Transport::Tcp;
  }
  check.status = read_status(block, 200, 699);
  return check;
}

std::optional<Probe> read_probe(Mapping& block, const AgentReading& reading) {
  const std::array kinds{block.find("tcp"), block.find("tls"), block.find("http"),
                         block.find("sip"), block.find("command")};
  const auto& [tcp, tls, http, sip, command] = kinds;
  if (std::count_if(kinds.begin(), kinds.end(),
                    [](const auto& kind) { return kind.has_value(); }) != 1) {
    block.value().reject(
        "needs one of tcp: ADDRESS@PORT, tls: ADDRESS@PORT, http: URL, sip: ADDRESS@PORT and "
        "command: [PROGRAM, ARGUMENT...]");
    return {};
  }
  if (tcp) return TcpCheck{read_target(*tcp)};
  if (tls) return TlsCheck{read_target(*tls), read_trust(block, reading)};
  if (http) return read_http(*http, block, reading);
  if (sip) return read_sip(*sip, block);
  return CommandCheck{read_command(*command, reading)};
}

}  // namespace

TlsTrust read_trust(Mapping& block, const AgentReading& reading) {
  TlsTrust trust;
  if (const auto ca = block.find("ca")) trust.ca = read_path(*ca, reading.folder).value_or("");
  if (const auto name = block.find("name")) {
    const auto text = name->text();
    // As in a certificate: no final dot.
    trust.name = text ? std::string(*text) : "";
  }
  return trust;
}

void read_check(const Value& value, const AgentReading& reading, std::vector<Check>& out) {
  Mapping block(value);
  if (value.kind() != Document::Kind::Mapping) {
    if (value.kind() == Document::Kind::Null) value.reject("must be a check, is empty");
    return;
  }
  Check check;
  if (auto probe = read_probe(block, reading)) {
    check.probe = *std::move(probe);
  }
  block.read("interval", check.interval, 100ms, 1h);
  const auto timeout = block.find("timeout");
  check.timeout = std::min(check.timeout, check.interval);
  // A check that runs longer than its interval would pile up.
  if (timeout) check.timeout = timeout->duration(10ms, check.interval).value_or(check.timeout);
  block.read("rise", check.rise, 1, 20);
  block.read("fall", check.fall, 1, 20);
  out.push_back(std::move(check));
}

}  // namespace sluice::config
