#include "tools/sluice-agent/run.h"

#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>
#include <uv.h>

#include "config/base/boot.h"
#include "config/base/uv_handle.h"
#include "tools/sluice-agent/agent.h"
#include "tools/sluice-agent/log.h"
#include "tools/sluice-agent/supervision.h"

namespace sluice::agent {
namespace {

class Loop {
 public:
  Loop() { uv_loop_init(&loop_); }
  ~Loop() { uv_loop_close(&loop_); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  uv_loop_t* get() noexcept { return &loop_; }

  // What is left to do are the ends of handles and of killed children. A child that the kernel
  // cannot end must not keep us.
  void finish() {
    constexpr base::Duration kLongest = std::chrono::seconds(2);
    {
      base::Timer guard(&loop_, [this] { uv_stop(&loop_); });
      guard.start(kLongest);
      guard.unref();
      uv_run(&loop_, UV_RUN_DEFAULT);
    }
    uv_run(&loop_, UV_RUN_NOWAIT);  // the end of the guard itself
  }

 private:
  uv_loop_t loop_{};
};

base::UvHandle<uv_signal_t> on_signal(uv_loop_t* loop, int number) {
  auto* handle = new uv_signal_t;
  uv_signal_init(loop, handle);
  uv_signal_start(
      handle,
      [](uv_signal_t* signal, int caught) {
        spdlog::info("signal {}: ending", caught);
        uv_stop(signal->loop);
      },
      number);
  return base::UvHandle<uv_signal_t>(handle);
}

void log_start(const config::AgentConfig& config) {
  std::string authorities;
  for (const std::string& url : config.authorities) {
    authorities += (authorities.empty() ? "" : ", ") + url;
  }
  spdlog::info("sluice-agent {} for {}: {} services, authorities {}", SLUICE_VERSION, config.server,
               config.services.size(), authorities);
  for (const base::Error& warning : config.warnings) spdlog::warn("{}", base::to_string(warning));
}

base::Checked<base::Done> run_loop(const config::AgentConfig& config) {
  auto boot_id = base::read_boot_id();
  if (!boot_id) return base::Unexpected{boot_id.error()};
  auto file = HostStateFile::open(config.state);
  if (!file) return base::Unexpected{file.error()};
  auto loaded = file->load();
  if (!loaded) return base::Unexpected{loaded.error()};

  const base::SystemClock clock;
  Loop loop;
  base::Checked<base::Done> started = base::Done{};
  {
    std::vector<base::UvHandle<uv_signal_t>> signals;
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
      signals.push_back(on_signal(loop.get(), number));
    }
    Agent agent(loop.get(), config, *std::move(boot_id), *std::move(file), *std::move(loaded),
                clock);
    started = agent.start();
    if (started) {
      Supervision supervision(loop.get(), Supervisor::from_environment(),
                              [&agent] { return agent.standing(); });
      uv_run(loop.get(), UV_RUN_DEFAULT);
    }
  }
  loop.finish();
  return started;
}

}  // namespace

int run(const config::AgentConfig& config) {
  // Writes to a peer that has gone are errors where they happen.
  std::signal(SIGPIPE, SIG_IGN);
  set_up_log();
  log_start(config);
  const auto ended = run_loop(config);
  if (ended) return EXIT_SUCCESS;
  spdlog::critical("cannot start: {}", base::to_string(ended.error()));
  return EXIT_FAILURE;
}

}  // namespace sluice::agent
