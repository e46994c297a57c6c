// The command line of the agent; everything else is in the library beside it.

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <CLI/CLI.hpp>

#include "config/base/duration.h"
#include "config/load_agent.h"
#include "tools/command_line/completion.h"
#include "tools/sluice-agent/command_line.h"
#include "tools/sluice-agent/completion.h"
#include "tools/sluice-agent/console.h"
#include "tools/sluice-agent/control_protocol.h"
#include "tools/sluice-agent/drain_and_wait.h"
#include "tools/sluice-agent/run.h"
#include "tools/sluice-agent/startup.h"
#include "tools/typo.h"

namespace {

using namespace sluice;
using agent::ControlRequest;
using agent::ExitCode;
using agent::Options;

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

ControlRequest request_of(ControlRequest::Command command, const Options& options) {
  ControlRequest request;
  request.command = command;
  if (!options.service.empty()) request.service = lower_case(options.service);
  request.reason = options.reason;
  for (const auto& [name, startup] : agent::kStartupNames) {
    if (name == options.startup) request.startup = startup;
  }
  request.force = options.force;
  return request;
}

// systemd runs ExecStop= also after the main process has ended by itself with success, and then
// says how (systemd.exec(5)): there is nobody left to wait for.
bool ended_by_itself() {
  const char* const result = std::getenv("SERVICE_RESULT");
  const char* const code = std::getenv("EXIT_CODE");
  if (result == nullptr || code == nullptr) return false;
  const std::string_view how(code);
  return how == "exited" || how == "killed" || how == "dumped";
}

int drain_and_wait(const Options& options) {
  if (ended_by_itself()) {
    std::cout << "the service has already ended: nothing to wait for\n";
    return exit_with(ExitCode::Done);
  }
  const auto path = socket_path(options);
  if (!path) return fail(path.error().message);
  const base::SystemClock clock;
  ControlRequest pause = request_of(ControlRequest::Command::Pause, options);
  if (pause.reason.empty()) pause.reason = "its unit is being stopped";
  agent::DrainAndWait drain(
      std::move(pause), base::parse_duration(options.timeout),
      {[&](const ControlRequest& request) { return agent::ask_agent(*path, request); },
       [](const std::string& line) { std::cout << line << std::endl; },
       [](base::Duration time) { std::this_thread::sleep_for(time); }, clock});
  const agent::ControlAnswer answer = drain.run();
  if (answer.exit != ExitCode::Done) return fail(answer.text, answer.exit);
  std::cout << answer.text << "\n";
  return exit_with(ExitCode::Done);
}

int ask(ControlRequest::Command command, const Options& options) {
  const auto path = socket_path(options);
  if (!path) return fail(path.error().message);
  const ControlRequest request = request_of(command, options);
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

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == command_line::kCompleteWord) {
    agent::print_completion({argv + 2, argv + argc});
    return exit_with(ExitCode::Done);
  }
  CLI::App app;
  Options options;
  agent::declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // --help and --version too
    const std::string unknown = error.get_exit_code() == 0 ? "" : unknown_word(app);
    if (!unknown.empty()) {
      std::cerr << "sluice-agent: " << unknown << "\nsluice-agent --help tells more.\n";
      return exit_with(ExitCode::Usage);
    }
    return app.exit(error) == 0 ? exit_with(ExitCode::Done) : exit_with(ExitCode::Usage);
  }
  const std::string& command = app.get_subcommands().front()->get_name();
  if (command == "run") return run(options);
  if (command == "pause") return ask(ControlRequest::Command::Pause, options);
  if (command == "resume") return ask(ControlRequest::Command::Resume, options);
  if (command == "drain-and-wait") return drain_and_wait(options);
  return ask(ControlRequest::Command::Status, options);
}
