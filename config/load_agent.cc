#include "config/load_agent.h"

#include <algorithm>
#include <set>
#include <utility>

#include "config/agent_blocks.h"
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

void read_agent_services(const Value& value, const AgentReading& reading, AgentConfig& out) {
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

void read_tls(const Value& value, const AgentReading& reading) {
  Mapping block(value);
  for (const char* key : {"certificate", "key", "ca"}) {
    if (const auto path = block.find(key)) path->text();
  }
  reading.warn(value,
               "is not supported by this version yet: the agent shows its token alone, over "
               "plain HTTP");
}

void read_reboot(const Value& value, Reboot& out) {
  Mapping block(value);
  block.read("delay", out.delay);
  block.read("at_most", out.at_most, 1s, 24h);
}

void read_agent(const Value& root, const AgentReading& reading, AgentConfig& out) {
  Mapping blocks(root);
  if (const auto list =
          blocks.require("authorities", R"(where to push, ["http://ADDRESS:PORT"])")) {
    read_authorities(*list, out);
  }
  const auto tls = blocks.find("tls");
  if (tls) read_tls(*tls, reading);
  const char* wanted = tls ? "tls in its place is not supported by this version yet"
                           : "the file that holds this agent's token";
  if (const auto path = blocks.require("token_file", wanted)) {
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
  if (const auto reboot = blocks.find("reboot")) read_reboot(*reboot, out.reboot);
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
