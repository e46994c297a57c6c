// sluiced: the authority. See interfaces.md, "Programs".

#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <malloc.h>
#include <unistd.h>

#include "tools/command_line/completion.h"
#include "tools/sluiced/attendant.h"
#include "tools/sluiced/blueprint.h"
#include "tools/sluiced/command_line.h"
#include "tools/sluiced/counted.h"
#include "tools/sluiced/daemon.h"
#include "tools/sluiced/log.h"
#include "tools/sluiced/own_program.h"
#include "tools/sluiced/predecessor.h"
#include "tools/sluiced/privileges.h"
#include "tools/typo.h"

namespace sluice {
namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

int fail(const std::vector<base::Error>& errors) {
  std::fprintf(stderr, "%s\n", base::to_string(errors).c_str());
  return kFailed;
}

// What the user that root's sluiced becomes would stumble over. This process becomes it, too.
void warn_of_user(const config::Config& config) {
  const auto warn = [](const std::string& text) {
    std::fprintf(stderr, "warning: %s\n", text.c_str());
  };
  const auto privileges = Privileges::of(config);
  if (!privileges) return warn(base::to_string(privileges.error()));
  if (!privileges->changes_user()) return;
  if (const auto became = privileges->drop(config); !became) return warn(became.error().message);
  // A directory that is missing is made by the start, with root's rights.
  const bool exists = access(config.store.directory.c_str(), F_OK) == 0;
  if (const auto usable = may_use_store(config.store.directory, *privileges); exists && !usable) {
    warn(usable.error().message);
  }
  const auto again = read_blueprint(config.file, {});
  if (again) return;
  warn("as user " + privileges->name() + " it could not be read:\n" +
       base::to_string(again.error()));
}

int check(const std::string& file) {
  const auto blueprint = read_blueprint(file, {});
  if (!blueprint) {
    fail(blueprint.error());
    std::fprintf(stderr, "%s: %s\n", file.c_str(),
                 counted(blueprint.error().size(), "error").c_str());
    return kFailed;
  }
  for (const std::string& warning : warnings(*blueprint)) {
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
  warn_of_user(blueprint->config);
  const health::Topology& topology = *blueprint->topology;
  std::printf("%s: OK: %s, %s, %s, %s\n", file.c_str(),
              counted(blueprint->config.zones.size(), "zone").c_str(),
              counted(topology.pools().size(), "pool").c_str(),
              counted(topology.servers().size(), "server").c_str(),
              counted(topology.answer_sets().size(), "answer set").c_str());
  return kDone;
}

// The tables of a large configuration go back to the system as they are freed. (By itself malloc
// raises this bound with the first of them, and leaves holes of tens of megabytes in the heap.)
constexpr int kMapFrom = 1 << 20;  // octets

int serve(const std::string& file, OwnProgram program) {
  // Orders to who runs already, sent to the whole service: they must not end one that begins.
  std::signal(SIGUSR2, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);
  if (Predecessor::started_this_process()) leave_attendant();
  mallopt(M_MMAP_THRESHOLD, kMapFrom);
  log::start();
  auto daemon = Daemon::start(file, std::move(program));
  if (!daemon) return fail(daemon.error());
  return (*daemon)->run() ? kDone : kFailed;
}

// For a shell's TAB; nothing of a mistake is shown in the line that is being typed.
int complete(const std::vector<std::string>& words) {
  CLI::App app;
  CommandLine line;
  declare(app, line);
  command_line::print(command_line::complete(app, words), std::cout);
  return kDone;
}

int run(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == command_line::kCompleteWord) {
    return complete({argv + 2, argv + argc});
  }
  CLI::App app;
  CommandLine line;
  declare(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const std::string unknown = error.get_exit_code() == 0 ? "" : unknown_word(app);
    if (!unknown.empty()) {
      std::fprintf(stderr, "sluiced: %s\nsluiced --help tells more.\n", unknown.c_str());
      return kUsage;
    }
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  return line.only_check ? check(line.file) : serve(line.file, OwnProgram::of(argc, argv));
}

}  // namespace
}  // namespace sluice

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
// libuv closes the pipe of uv_spawn() by a system call that the sanitizer does not see: to it, the
// next owner of the number shares it.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "race:uv_pipe\n";
}
#endif
#endif

int main(int argc, char** argv) {
  return sluice::run(argc, argv);
}
