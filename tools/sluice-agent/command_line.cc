#include "tools/sluice-agent/command_line.h"

#include "config/base/duration.h"

namespace sluice::agent {
namespace {

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

void declare(CLI::App& program, Options& options) {
  program.description("The agent of Sluice on a server of a pool.");
  program.name("sluice-agent");
  program.set_version_flag("--version", "sluice-agent " SLUICE_VERSION);
  program.require_subcommand(1);

  CLI::App* const running = program.add_subcommand("run", "push heartbeats until SIGTERM");
  add_config(*running, options);
  CLI::App* const pause =
      program.add_subcommand("pause", "no new connections, on the whole server or one service");
  pause->add_option("service", options.service, "default: all services of this server");
  pause->add_option("--startup", options.startup, "what a restart of the service does to the hold")
      ->check(CLI::IsMember({"manual", "automatic"}));
  pause->add_option("--reason", options.reason, "for those who see the hold");
  pause->add_flag("--force", options.force,
                  "override the floor, and hold even when no authority can be reached");
  CLI::App* const resume = program.add_subcommand("resume", "lift what `pause` has placed");
  resume->add_option("service", options.service, "default: all services of this server");
  CLI::App* const waiting = program.add_subcommand(
      "drain-and-wait",
      "pause a service and wait until it is safe to stop; for ExecStop= of a unit");
  waiting->add_option("service", options.service, "the service that the unit runs")->required();
  waiting
      ->add_option("--timeout", options.timeout, "give up after this time, such as 10min (exit 4)")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return base::parse_duration(text) ? "" : "must be a duration such as 10min";
          },
          "DURATION"));
  waiting
      ->add_option("--startup", options.startup,
                   "what the next start of the service does to the hold")
      ->check(CLI::IsMember({"manual", "automatic"}));
  waiting->add_option("--reason", options.reason,
                      "for those who see the hold; default: its unit is being stopped");
  CLI::App* const status = program.add_subcommand("status", "what the agent sees and was told");
  status->add_flag("--json", options.json, "as one JSON document");
  for (CLI::App* const command : {pause, resume, waiting, status}) add_where(*command, options);
}

}  // namespace sluice::agent
