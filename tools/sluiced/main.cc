// sluiced: the authority. See interfaces.md, "Programs".

#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>
#include <malloc.h>

#include "tools/sluiced/blueprint.h"
#include "tools/sluiced/counted.h"
#include "tools/sluiced/daemon.h"
#include "tools/sluiced/log.h"
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

int serve(const std::string& file) {
  mallopt(M_MMAP_THRESHOLD, kMapFrom);
  log::start();
  auto daemon = Daemon::start(file);
  if (!daemon) return fail(daemon.error());
  (*daemon)->run();
  return kDone;
}

int run(int argc, char** argv) {
  CLI::App app("The authority of Sluice: answers DNS for pools, takes servers out without a cut.");
  std::string file = "/etc/sluice/sluice.yaml";
  bool only_check = false;
  app.add_option("--config", file, "the configuration")->capture_default_str();
  app.add_flag("--check", only_check, "say what is wrong in the configuration, and exit");
  app.set_version_flag("--version", "sluiced " SLUICE_VERSION);
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
  return only_check ? check(file) : serve(file);
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  return sluice::run(argc, argv);
}
