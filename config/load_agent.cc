#include "config/load_agent.h"

#include <algorithm>
#include <utility>

#include "config/agent_blocks.h"
#include "config/document.h"
#include "config/files.h"
#include "config/mapping.h"
#include "config/names.h"
#include "config/url.h"
#include "config/url_list.h"
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

constexpr const char* kTokenInTheClear =
    "is not loopback and not https: who reads along on the network gets the token, and may then "
    "speak for this server; write https:// and let the authority have api.tls";

void read_authorities(const Value& value, const AgentReading& reading, AgentConfig& out) {
  out.authorities = read_urls(value, "must have at least one authority to push to",
                              [&](const Value& item, const std::string& url) {
                                if (!travels_in_the_clear(url)) return;
                                reading.warn(item, url + " " + kTokenInTheClear);
                              });
}

// Whether it may be told what else there has to be: a typo may be just that.
bool read_tls(const Value& value, const AgentReading& reading, AgentTls& out) {
  Mapping block(value);
  const auto read = [&](const char* key, std::string& path) {
    const auto found = block.find(key);
    if (found) path = read_path(*found, reading.folder).value_or("");
    return found;
  };
  const auto certificate = read("certificate", out.certificate);
  const auto key = read("key", out.key);
  const auto ca = read("ca", out.ca);
  if (!block.all_known()) return false;
  if (certificate && !key) certificate->reject("needs key, the file of its private key");
  if (key && !certificate) key->reject("needs certificate, the file of the certificate it is for");
  if (!certificate && !key && !ca) value.reject("must have certificate and key, or ca, or all");
  return true;
}

bool is_https(const std::string& url) {
  return url.starts_with("https:");
}

// How the agent says who it is to each authority: a certificate is shown over https alone.
void read_identity(Mapping& blocks, const AgentReading& reading, AgentConfig& out) {
  const auto tls = blocks.find("tls");
  const bool tls_is_legible = !tls || read_tls(*tls, reading, out.tls);
  const bool by_certificate = !out.tls.certificate.empty() || !tls_is_legible;
  const char* wanted = "the file that holds this agent's token, or tls: {certificate:, key:}";
  const auto token =
      by_certificate ? blocks.find("token_file") : blocks.require("token_file", wanted);
  if (token) out.token_file = read_path(*token, reading.folder).value_or("");
  if (!tls || !tls_is_legible) return;
  if (std::ranges::none_of(out.authorities, is_https) && !out.authorities.empty()) {
    reading.warn(*tls, "has no effect: no authority is https://");
  }
  const auto plain = std::ranges::find_if_not(out.authorities, is_https);
  if (by_certificate && !token && plain != out.authorities.end()) {
    tls->reject("the certificate cannot be shown to " + *plain +
                ": write https://, or give token_file too");
  }
}

void read_reboot(const Value& value, Reboot& out) {
  Mapping block(value);
  block.read("delay", out.delay);
  block.read("at_most", out.at_most, 1s, 24h);
}

void read_agent(const Value& root, const AgentReading& reading, AgentConfig& out) {
  Mapping blocks(root);
  if (const auto list = blocks.require("authorities", R"(where to push, ["https://NAME:PORT"])")) {
    read_authorities(*list, reading, out);
  }
  read_identity(blocks, reading, out);
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
