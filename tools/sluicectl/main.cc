// sluicectl, the operators' tool: one command, one connection, one exit code.

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <unistd.h>

#include "tools/command_line/completion.h"
#include "tools/sluicectl/api/client.h"
#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/completion.h"
#include "tools/sluicectl/interrupt.h"
#include "tools/sluicectl/options.h"

namespace sluice::ctl {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// What nobody could read was not done: a full disk, a closed pipe.
Exit flushed(Exit exit) {
  std::cout.flush();
  if (std::cout.good()) return exit;
  std::cerr << "sluicectl: stdout cannot be written\n";
  return exit == Exit::Done ? Exit::Failed : exit;
}

// `json`: as a problem document (RFC 9457), as other failures are told.
Exit stopped(const Stop& stop, bool json) {
  if (json && stop.exit != Exit::Done) {
    std::string detail = stop.text.substr(0, stop.text.find('\n'));
    constexpr std::string_view kProgram = "sluicectl: ";
    if (detail.starts_with(kProgram)) detail.erase(0, kProgram.size());
    const Json problem{{"type", "about:blank"}, {"title", "usage"}, {"detail", detail}};
    std::cout << problem.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
  }
  (stop.exit == Exit::Done ? std::cout : std::cerr) << stop.text;
  return flushed(stop.exit);
}

Exit run_command(const Options& options) {
  // Elsewhere a signal ends the process, as everybody expects.
  std::optional<Interrupt> interrupt;
  if (options.waits()) interrupt.emplace();
  const base::SystemClock clock;
  Client client({.endpoints = options.endpoints,
                 .token_file = options.token_file,
                 .tls = options.tls,
                 .warn = [](const std::string& text) { std::cerr << "warning: " << text << '\n'; },
                 .interrupted = [&] { return interrupt && interrupt->pending(); }});
  Context context{.api = client,
                  .clock = clock,
                  .pause = [&](base::Duration duration) -> std::optional<Exit> {
                    if (interrupt) return interrupt->wait(duration);
                    std::this_thread::sleep_for(duration);
                    return std::nullopt;
                  },
                  .out = std::cout,
                  .err = std::cerr,
                  .out_surface = surface_of(STDOUT_FILENO),
                  .err_surface = surface_of(STDERR_FILENO),
                  .surface_now = [] { return surface_of(STDOUT_FILENO); }};
  return flushed(run(options, context));
}

Exit run_program(const std::vector<std::string>& words) {
  const Connection from_environment{.api = environment("SLUICE_API"),
                                    .socket = environment("SLUICE_SOCKET"),
                                    .token_file = environment("SLUICE_TOKEN_FILE"),
                                    .ca = environment("SLUICE_CA"),
                                    .certificate = environment("SLUICE_CERTIFICATE"),
                                    .key = environment("SLUICE_KEY")};
  if (!words.empty() && words.front() == command_line::kCompleteWord) {
    print_completion({words.begin() + 1, words.end()}, from_environment);
    return Exit::Done;
  }
  const auto options = parse_options(words, from_environment);
  if (options) return run_command(*options);
  return stopped(options.error(), std::ranges::find(words, "--json") != words.end());
}

}  // namespace
}  // namespace sluice::ctl

int main(int argc, char** argv) {
  return static_cast<int>(sluice::ctl::run_program({argv + 1, argv + argc}));
}
