// The command line of the agent; everything else is in the library beside it.

#include <cstdio>
#include <iostream>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "config/load_agent.h"
#include "tools/sluice-agent/console.h"
#include "tools/sluice-agent/control_protocol.h"
#include "tools/sluice-agent/run.h"
#include "tools/sluice-agent/startup.h"

namespace {

using namespace sluice;
using agent::ControlRequest;
using agent::ExitCode;

struct Options {
  std::string config = "/etc/sluice/agent.yaml";
  std::string socket;
  std::string service;
  std::string startup;
  std::string reason;
  bool force = false;
  bool json = false;
};

int exit_with(ExitCode code) {
  return static_cast<int>(code);
}

int fail(const std::string& text, ExitCode code = ExitCode::Failed) {
  std::cerr << "sluice-agent: " << text << "\n";
  return exit_with(code);
}

int run(const Options& options) {
  const auto config = config::load_agent(options.config);
  if (!config) return fail(base::to_string(config.error()));
  return agent::run(*config);
}

// A member of the socket's group need not be able to read the configuration: --socket goes without.
base::Checked<std::string> socket_path(const Options& options) {
  if (!options.socket.empty()) return options.socket;
  const auto config = config::load_agent(options.config);
  if (!config) return base::failure(base::to_string(config.error()));
  if (config->socket.path.empty()) return base::failure(options.config + ": names no socket");
  return config->socket.path;
}

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

int ask(ControlRequest::Command command, const Options& options) {
  const auto path = socket_path(options);
  if (!path) return fail(path.error().message);
  ControlRequest request;
  request.command = command;
  if (!options.service.empty()) request.service = lower_case(options.service);
  request.reason = options.reason;
  for (const auto& [name, startup] : agent::kStartupNames) {
    if (name == options.startup) request.startup = startup;
  }
  request.force = options.force;
  const agent::ControlAnswer answer = agent::ask_agent(*path, request);
  if (answer.exit != ExitCode::Done) return fail(answer.text, answer.exit);
  if (command != ControlRequest::Command::Status) {
    std::cout << answer.text << "\n";
  } else if (options.json) {
    std::cout << answer.status.dump(2) << "\n";
  } else {
    std::cout << agent::render_status(answer.status);
  }
  return exit_with(ExitCode::Done);
}

void add_config(CLI::App& command, Options& options) {
  command.add_option("--config", options.config, "the agent's configuration")
      ->capture_default_str();
}

void add_where(CLI::App& command, Options& options) {
  add_config(command, options);
  command.add_option("--socket", options.socket,
                     "the running agent's socket, in place of --config");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("The agent of Sluice on a server of a pool.", "sluice-agent");
  app.set_version_flag("--version", "sluice-agent " SLUICE_VERSION);
  app.require_subcommand(1);
  Options options;

  CLI::App* const running = app.add_subcommand("run", "push heartbeats until SIGTERM");
  add_config(*running, options);
  CLI::App* const pause =
      app.add_subcommand("pause", "no new connections, on the whole server or one service");
  pause->add_option("service", options.service, "default: all services of this server");
  pause->add_option("--startup", options.startup, "what a restart of the service does to the hold")
      ->check(CLI::IsMember({"manual", "automatic"}));
  pause->add_option("--reason", options.reason, "for those who see the hold");
  pause->add_flag("--force", options.force,
                  "override the floor, and hold even when no authority can be reached");
  CLI::App* const resume = app.add_subcommand("resume", "lift what `pause` has placed");
  resume->add_option("service", options.service, "default: all services of this server");
  CLI::App* const status = app.add_subcommand("status", "what the agent sees and was told");
  status->add_flag("--json", options.json, "as one JSON document");
  for (CLI::App* const command : {pause, resume, status}) add_where(*command, options);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // --help and --version too
    return app.exit(error) == 0 ? exit_with(ExitCode::Done) : exit_with(ExitCode::Usage);
  }
  if (running->parsed()) return run(options);
  if (pause->parsed()) return ask(ControlRequest::Command::Pause, options);
  if (resume->parsed()) return ask(ControlRequest::Command::Resume, options);
  return ask(ControlRequest::Command::Status, options);
}
