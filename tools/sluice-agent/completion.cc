#include "tools/sluice-agent/completion.h"

#include <iostream>

#include "config/load_agent.h"
#include "tools/command_line/completion.h"
#include "tools/command_line/patience.h"
#include "tools/sluice-agent/command_line.h"
#include "tools/sluice-agent/console.h"
#include "tools/sluice-agent/control_protocol.h"

namespace sluice::agent {
namespace {

using command_line::Candidate;

std::vector<Candidate> services(const std::string& file, std::string socket) {
  std::vector<Candidate> names;
  if (socket.empty()) {
    const auto config = config::load_agent(file);
    if (!config) return names;
    for (const config::AgentService& service : config->services) names.push_back({service.name});
    if (!names.empty()) return names;
    socket = config->socket.path;
  }
  ControlRequest request;
  request.command = ControlRequest::Command::Status;
  const ControlAnswer answer = ask_agent(socket, request);
  const auto list = answer.status.find("services");
  if (list == answer.status.end() || !list->is_object()) return names;
  for (const auto& [name, service] : list->items()) names.push_back({name});
  return names;
}

}  // namespace

void print_completion(const std::vector<std::string>& words) {
  command_line::end_when_impatient();
  CLI::App app;
  Options options;
  declare(app, options);
  command_line::Completion completion = command_line::complete(app, words);
  if (completion.wanted == command_line::ValueKind::Service) {
    const auto value = [&](const char* name, const std::string& otherwise) {
      const auto typed = completion.typed.find(name);
      return typed == completion.typed.end() ? otherwise : typed->second;
    };
    command_line::add(completion,
                      services(value("--config", options.config), value("--socket", "")));
  }
  command_line::print(completion, std::cout);
}

}  // namespace sluice::agent
