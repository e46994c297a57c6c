#include "config/load_agent.h"

#include <algorithm>
#include <set>
#include <utility>

#include "config/base/duration.h"
#include "config/document.h"
#include "config/files.h"
#include "config/mapping.h"
#include "config/names.h"
#include "config/url.h"
#include "config/value.h"

namespace sluice::config {
namespace {

using namespace std::chrono_literals;
using Errors = std::vector<base::Error>;

// What the readers of the blocks share.
struct Reading {
  std::string folder;  // relative paths are relative to it
  Findings* warnings;

  void warn(const Value& value, std::string message) const {
    warnings->add(value.line(), value.path(), std::move(message));
  }
};

Command read_command(const Value& value, const Reading& reading) {
  Command command;
  const std::size_t before = value.findings().size();
  if (value.kind() == Document::Kind::Scalar) {
    value.reject(R"(must be a list: ["/path/to/program", "argument"]; no shell splits it)");
    return command;
  }
  value.each([&](const Value& item) {
    if (const auto text = item.text()) command.emplace_back(*text);
  });
  if (value.findings().size() > before) return command;
  if (command.empty()) {
    value.reject("must have at least the program to run");
  } else if (command.front().find('/') != std::string::npos) {
    // Only a name without a slash is looked up in PATH (execvp(3)).
    command.front() = resolve(reading.folder, command.front());
  }
  return command;
}

std::optional<Check> read_probe(Mapping& block, const Reading& reading) {
  const auto tcp = block.find("tcp");
  const auto command = block.find("command");
  const std::size_t before = block.value().findings().size();
  for (const char* later : {"http", "tls", "sip"}) block.refuse(later);
  if (block.value().findings().size() > before) return {};
  if (tcp.has_value() == command.has_value()) {
    block.value().reject("needs one of tcp: ADDRESS@PORT and command: [PROGRAM, ARGUMENT...]");
    return {};
  }
  Check check;
  if (command) {
    check.probe = CommandCheck{read_command(*command, reading)};
    return check;
  }
  const auto target = tcp->socket_address();
  if (!target) return {};
  if (target->port == 0) {
    tcp->reject("must name a port to connect to, is " + target->to_string());
    return {};
  }
  check.probe = TcpCheck{*target};
  return check;
}

void read_check(const Value& value, const Reading& reading, std::vector<Check>& out) {
  Mapping block(value);
  if (value.kind() != Document::Kind::Mapping) {
    if (value.kind() == Document::Kind::Null) value.reject("must be a check, is empty");
    return;
  }
  Check check = read_probe(block, reading).value_or(Check{});
  block.read("interval", check.interval, 100ms, 1h);
  const auto timeout = block.find("timeout");
  check.timeout = std::min(check.timeout, check.interval);
  // A check that runs longer than its interval would pile up.
  if (timeout) check.timeout = timeout->duration(10ms, check.interval).value_or(check.timeout);
  block.read("rise", check.rise, 1, 20);
  block.read("fall", check.fall, 1, 20);
  out.push_back(std::move(check));
}

std::optional<TcpConnections> read_tcp_ports(const Value& value) {
  TcpConnections source;
  const std::size_t before = value.findings().size();
  std::set<std::uint16_t> seen;
  value.each([&](const Value& item) {
    const auto number = item.number(1, 65535);
    if (!number) return;
    const auto port = static_cast<std::uint16_t>(*number);
    if (!seen.insert(port).second) {
      return item.reject(std::to_string(port) + " stands here twice: its sessions count once");
    }
    source.ports.push_back(port);
  });
  if (source.ports.empty() && value.findings().size() == before) {
    value.reject("must have at least one local port");
  }
  return source;
}

HttpMetric read_http_metric(const Value& url, Mapping& block, const Reading& reading) {
  HttpMetric source;
  if (const auto text = url.text()) {
    auto checked = check_http_url(*text);
    if (!checked) url.reject(checked.error());
    source.url = checked ? *std::move(checked) : "";
  }
  if (const auto metric = block.require("metric", "the metric of the page that is the count")) {
    source.metric = metric->text().value_or("");
  }
  block.refuse("labels");
  reading.warn(url,
               "is not read by this version yet: the sessions of this service are pushed as "
               "not known");
  return source;
}

void read_counter(const Value& key, const Value& value, const Reading& reading,
                  std::vector<SessionCounter>& out) {
  SessionCounter counter;
  const auto name = read_name(key, check_label);
  if (name) counter.name = *name;
  const bool twice = std::any_of(out.begin(), out.end(), [&](const SessionCounter& other) {
    return other.name == counter.name;
  });
  if (name && twice) key.reject("is a counter already: upper and lower case are the same");
  Mapping block(value);
  const auto ports = block.find("tcp_ports");
  const auto command = block.find("command");
  const auto http = block.find("http");
  const std::size_t before = value.findings().size();
  block.refuse("file");
  block.refuse("udp_ports");
  if (ports.has_value() + command.has_value() + http.has_value() != 1) {
    if (value.findings().size() == before) {
      key.reject(
          "needs one of tcp_ports: [PORT...], command: [PROGRAM, ARGUMENT...] and http: URL");
    }
    return;
  }
  if (ports) counter.source = read_tcp_ports(*ports).value_or(TcpConnections{});
  if (command) counter.source = CommandCount{read_command(*command, reading)};
  if (http) counter.source = read_http_metric(*http, block, reading);
  out.push_back(std::move(counter));
}

void read_sessions(const Value& value, const Reading& reading, AgentService& out) {
  // An empty value is the one thing that is not guessed: zero and not known are worlds apart.
  if (value.kind() == Document::Kind::Null) {
    return value.reject(
        "is empty: {} says that there is nothing to count, which is zero; leave it "
        "out when sessions are not known");
  }
  std::vector<SessionCounter> counters;
  Mapping block(value);
  block.each(
      [&](const Value& key, const Value& entry) { read_counter(key, entry, reading, counters); });
  out.sessions = std::move(counters);
}

// "kamailio.service": what systemd calls a unit (systemd.unit(5)).
void read_unit(const Value& value, const Reading& reading, std::string& out) {
  const auto text = value.text();
  if (!text) return;
  const bool known = std::all_of(text->begin(), text->end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view(":-_.\\@").find(c) != std::string_view::npos;
  });
  const auto dot = text->rfind('.');
  if (!known || text->size() > 255 || dot == std::string_view::npos || dot == 0 ||
      dot + 1 == text->size()) {
    return value.reject("must be the name of a systemd unit such as kamailio.service, is " +
                        value.shown());
  }
  out = *text;
  reading.warn(value,
               "is not watched by this version yet: what the unit would tell is pushed as "
               "not known; checks and pid_file count");
}

AgentService read_agent_service(const Value& value, std::string name, const Reading& reading) {
  Mapping block(value);
  AgentService service;
  service.name = std::move(name);
  const auto unit = block.find("unit");
  const auto pid_file = block.find("pid_file");
  const auto checks = block.find("checks");
  if (unit) read_unit(*unit, reading, service.unit);
  if (pid_file) service.pid_file = read_path(*pid_file, reading.folder).value_or("");
  const std::size_t before = value.findings().size();
  if (checks) {
    checks->each([&](const Value& item) { read_check(item, reading, service.checks); });
  }
  if (service.checks.empty() && !unit && !pid_file && value.findings().size() == before) {
    value.reject("needs checks: (or unit: or pid_file:): nothing says whether it is up");
  }
  if (const auto sessions = block.find("sessions")) read_sessions(*sessions, reading, service);
  if (const auto hook = block.find("on_hold")) service.on_hold = read_command(*hook, reading);
  if (const auto hook = block.find("on_resume")) service.on_resume = read_command(*hook, reading);
  return service;
}

void read_agent_services(const Value& value, const Reading& reading, AgentConfig& out) {
  NameTable names;
  const std::size_t before = value.findings().size();
  Mapping block(value);
  block.each([&](const Value& key, const Value& entry) {
    const auto name = read_name(key, check_label);
    if (name) names.take(key, *name, "service");
    out.services.push_back(read_agent_service(entry, name.value_or(""), reading));
  });
  if (out.services.empty() && value.findings().size() == before) {
    value.reject("must have at least one service to push");
  }
}

void read_authorities(const Value& value, AgentConfig& out) {
  std::set<std::string> seen;
  const std::size_t before = value.findings().size();
  value.each([&](const Value& item) {
    const auto text = item.text();
    if (!text) return;
    auto url = check_authority_url(*text);
    if (!url) return item.reject(url.error());
    if (!seen.insert(*url).second) return item.reject(*url + " stands here twice");
    out.authorities.push_back(*std::move(url));
  });
  if (out.authorities.empty() && value.findings().size() == before) {
    value.reject("must have at least one authority to push to");
  }
}

void read_tls(const Value& value, const Reading& reading) {
  Mapping block(value);
  for (const char* key : {"certificate", "key", "ca"}) {
    if (const auto path = block.find(key)) path->text();
  }
  reading.warn(value,
               "is not supported by this version yet: the agent shows its token alone, over "
               "plain HTTP");
}

void read_reboot(const Value& value, const Reading& reading, Reboot& out) {
  Mapping block(value);
  if (const auto delay = block.find("delay")) {
    out.delay = delay->flag().value_or(false);
    if (out.delay) {
      reading.warn(*delay,
                   "is not done by this version yet: a shutdown does not wait for the "
                   "verdict");
    }
  }
  block.read("at_most", out.at_most, 1s, 24h);
}

void read_agent(const Value& root, const Reading& reading, AgentConfig& out) {
  Mapping blocks(root);
  if (const auto list =
          blocks.require("authorities", R"(where to push, ["http://ADDRESS:PORT"])")) {
    read_authorities(*list, out);
  }
  if (const auto tls = blocks.find("tls")) read_tls(*tls, reading);
  if (const auto path = blocks.require("token_file", "the file that holds this agent's token")) {
    out.token_file = read_path(*path, reading.folder).value_or("");
  }
  if (const auto server = blocks.require("server", "the full name of this server")) {
    out.server = read_name(*server, check_server_name).value_or("");
  }
  if (const auto path = blocks.find("state")) {
    out.state = read_path(*path, reading.folder).value_or("");
  }
  if (const auto socket = blocks.find("socket")) read_socket(*socket, reading.folder, out.socket);
  blocks.read("heartbeat", out.heartbeat, 100ms, 1min);
  if (const auto services = blocks.require("services", "what runs on this server")) {
    read_agent_services(*services, reading, out);
  }
  if (const auto reboot = blocks.find("reboot")) read_reboot(*reboot, reading, out.reboot);
}

}  // namespace

base::Result<AgentConfig, Errors> load_agent_text(const std::string& text,
                                                  const std::string& file_name) {
  const auto document = Document::parse(text, file_name);
  if (!document) return base::Unexpected{Errors{document.error()}};
  Findings findings(file_name);
  Findings warnings(file_name);
  AgentConfig config;
  config.file = file_name;
  read_agent(Value(*document, findings), {folder_of(file_name), &warnings}, config);
  if (findings.size() > 0) return base::Unexpected{findings.take()};
  config.warnings = warnings.take();
  return config;
}

base::Result<AgentConfig, Errors> load_agent(const std::string& file) {
  const auto text = read_file(file);
  if (!text) {
    return base::Unexpected{Errors{{{file, 0}, {}, "can't be read: " + text.error()}}};
  }
  return load_agent_text(*text, file);
}

}  // namespace sluice::config
