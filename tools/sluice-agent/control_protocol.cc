#include "tools/sluice-agent/control_protocol.h"

#include <utility>

#include "health/strict_json.h"
#include "tools/sluice-agent/startup.h"

namespace sluice::agent {
namespace {

using Command = ControlRequest::Command;
using nlohmann::json;

constexpr std::uint64_t kProtocolVersion = 1;
constexpr std::array<std::pair<std::string_view, Command>, 4> kCommands{
    {{"pause", Command::Pause},
     {"resume", Command::Resume},
     {"status", Command::Status},
     {"verdict", Command::Verdict}}};

std::string line_of(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace

base::Checked<ControlRequest> parse_request(std::string_view line) {
  const auto document = health::parse_json(line);
  if (!document) return base::failure("no request: " + document.error().message);
  health::JsonReader reader(*document, "");
  ControlRequest request;
  const auto version = reader.integer(reader.required("v"), "v", kProtocolVersion);
  if (version && *version != kProtocolVersion) reader.fail("v", "must be 1");
  reader.required("command");
  request.command = reader.choice("command", kCommands).value_or(Command::Status);
  request.service = reader.text("service");
  if (request.command == Command::Pause) {
    request.reason = reader.text("reason").value_or("");
    request.startup = reader.choice("startup", kStartupNames);
    request.force = reader.flag("force").value_or(false);
  }
  if (const auto error = reader.finish()) {
    const std::string path = error->path.empty() ? "the request" : error->path;
    return base::failure(path + " " + error->message);
  }
  return request;
}

std::string render(const ControlRequest& request) {
  json document{{"v", kProtocolVersion}};
  for (const auto& [name, command] : kCommands) {
    if (command == request.command) document["command"] = name;
  }
  if (request.service) document["service"] = *request.service;
  if (request.command == Command::Pause) {
    document["reason"] = request.reason;
    document["force"] = request.force;
    if (request.startup) document["startup"] = to_string(*request.startup);
  }
  return line_of(document);
}

std::string render(const ControlAnswer& answer) {
  json document{
      {"v", kProtocolVersion}, {"exit", static_cast<int>(answer.exit)}, {"text", answer.text}};
  if (!answer.status.is_null()) document["status"] = answer.status;
  return line_of(document);
}

// An answer is the agent's own: read without the limits that parse_json() sets for foreigners.
base::Checked<ControlAnswer> parse_answer(std::string_view line) {
  const json document = json::parse(line, nullptr, false);
  const auto wrong = base::failure("the agent's answer cannot be understood");
  if (!document.is_object() || !document.contains("exit") || !document.contains("text")) {
    return wrong;
  }
  const json& exit = document["exit"];
  if (!exit.is_number_unsigned() || exit.get<unsigned>() > 5 || !document["text"].is_string()) {
    return wrong;
  }
  ControlAnswer answer;
  answer.exit = static_cast<ExitCode>(exit.get<unsigned>());
  answer.text = document["text"].get<std::string>();
  if (document.contains("status")) answer.status = document["status"];
  return answer;
}

}  // namespace sluice::agent
