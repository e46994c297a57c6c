// One service of the agent: how its sessions are counted.

#include <algorithm>
#include <map>
#include <set>

#include "config/agent_blocks.h"
#include "config/files.h"
#include "config/mapping.h"
#include "config/names.h"
#include "config/url.h"

namespace sluice::config {
namespace {

std::vector<std::uint16_t> read_ports(const Value& value) {
  std::vector<std::uint16_t> ports;
  const std::size_t before = value.findings().size();
  std::set<std::uint16_t> seen;
  value.each([&](const Value& item) {
    const auto number = item.number(1, 65535);
    if (!number) return;
    const auto port = static_cast<std::uint16_t>(*number);
    if (!seen.insert(port).second) {
      return item.reject(std::to_string(port) + " stands here twice: its sessions count once");
    }
    ports.push_back(port);
  });
  if (ports.empty() && value.findings().size() == before) {
    value.reject("must have at least one local port");
  }
  return ports;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// What Prometheus calls a metric or a label; a colon may stand in the former alone.
bool is_prometheus_name(std::string_view text, bool colons) {
  return (is_letter(text.front()) || (colons && text.front() == ':')) &&
         std::all_of(text.begin(), text.end(), [colons](char c) {
           return is_letter(c) || (c >= '0' && c <= '9') || (colons && c == ':');
         });
}

std::map<std::string, std::string> read_labels(const Value& value) {
  std::map<std::string, std::string> labels;
  Mapping block(value);
  block.each([&](const Value& key, const Value& entry) {
    const auto name = key.text();
    const auto text = entry.text();
    if (!name || !text) return;
    if (!is_prometheus_name(*name, false)) {
      return key.reject("must be the name of a label such as state, is " + key.shown());
    }
    labels.emplace(*name, *text);
  });
  return labels;
}

HttpMetric read_http_metric(const Value& url, Mapping& block, const AgentReading& reading) {
  HttpMetric source;
  if (const auto text = url.text()) {
    auto checked = check_web_url(*text);
    if (!checked) url.reject(checked.error());
    source.url = checked ? *std::move(checked) : "";
  }
  if (source.url.starts_with("https:")) source.trust = read_trust(block, reading);
  if (const auto metric = block.require("metric", "the metric of the page that is the count")) {
    source.metric = metric->text().value_or("");
    if (!source.metric.empty() && !is_prometheus_name(source.metric, true)) {
      metric->reject("must be the name of a metric such as active_calls, is " + metric->shown());
    }
  }
  if (const auto labels = block.find("labels")) source.labels = read_labels(*labels);
  return source;
}

FileCount read_file_count(const Value& path, Mapping& block, const AgentReading& reading) {
  using namespace std::chrono_literals;
  FileCount source;
  source.path = read_path(path, reading.folder).value_or("");
  block.read("max_age", source.max_age, 1s, 24h * 365);
  return source;
}

void read_counter(const Value& key, const Value& value, const AgentReading& reading,
                  NameTable& names, std::vector<SessionCounter>& out) {
  SessionCounter counter;
  if (const auto name = read_name(key, check_label)) {
    names.take(key, *name, "counter");
    counter.name = *name;
  }
  Mapping block(value);
  if (value.kind() == Document::Kind::Scalar || value.kind() == Document::Kind::Sequence) return;
  const auto tcp = block.find("tcp_ports");
  const auto udp = block.find("udp_ports");
  const auto command = block.find("command");
  const auto http = block.find("http");
  const auto file = block.find("file");
  if (tcp.has_value() + udp.has_value() + command.has_value() + http.has_value() +
          file.has_value() !=
      1) {
    key.reject(
        "needs one of tcp_ports: [PORT...], udp_ports: [PORT...], command: [PROGRAM, "
        "ARGUMENT...], http: URL and file: PATH");
    return;
  }
  if (tcp) counter.source = TcpConnections{read_ports(*tcp)};
  if (udp) counter.source = UdpFlows{read_ports(*udp)};
  if (command) counter.source = CommandCount{read_command(*command, reading)};
  if (http) counter.source = read_http_metric(*http, block, reading);
  if (file) counter.source = read_file_count(*file, block, reading);
  out.push_back(std::move(counter));
}

}  // namespace

std::vector<SessionCounter> read_sessions(const Value& value, const AgentReading& reading) {
  std::vector<SessionCounter> counters;
  // An empty value is the one thing that is not guessed: zero and not known are worlds apart.
  if (value.kind() == Document::Kind::Null) {
    value.reject(
        "is empty: {} says that there is nothing to count, which is zero; leave it out when "
        "sessions are not known");
    return counters;
  }
  NameTable names;
  Mapping block(value);
  block.each([&](const Value& key, const Value& entry) {
    read_counter(key, entry, reading, names, counters);
  });
  return counters;
}

}  // namespace sluice::config
