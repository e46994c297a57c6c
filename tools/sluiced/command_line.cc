#include "tools/sluiced/command_line.h"

namespace sluice {

void declare(CLI::App& program, CommandLine& line) {
  program.description(
      "The authority of Sluice: answers DNS for pools, takes servers out without a cut.");
  program.add_option("--config", line.file, "the configuration")->capture_default_str();
  program.add_flag("--check", line.only_check, "say what is wrong in the configuration, and exit");
  program.set_version_flag("--version", "sluiced " SLUICE_VERSION);
}

}  // namespace sluice
