// What the daemon has an eye on: signals, its own threads, what it has of descriptors and memory.

#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "tools/sluiced/daemon.h"

namespace sluice {

void Daemon::watch_signals() {
  const auto watch = [this](int number, uv_signal_cb callback) {
    auto handle = std::make_unique<uv_signal_t>();
    uv_signal_init(&loop_, handle.get());
    handle->data = this;
    uv_signal_start(handle.get(), callback, number);
    signals_.emplace_back(handle.release());
  };
  const auto stop = [](uv_signal_t* handle, int) { static_cast<Daemon*>(handle->data)->stop(); };
  watch(SIGTERM, stop);
  watch(SIGINT, stop);
  watch(SIGHUP, [](uv_signal_t* handle, int) {
    static_cast<Daemon*>(handle->data)->reload({"SIGHUP", ""}, [](const Errors&) {});
  });
  watch(SIGUSR2, [](uv_signal_t* handle, int) { static_cast<Daemon*>(handle->data)->upgrade(); });
  std::signal(SIGPIPE, SIG_IGN);
}

// The control thread watches itself: it is the one that tells the supervisor.
void Daemon::watch_threads() {
  Pulse& pulse = sentry_->pulse();
  for (unsigned worker = 0; worker < dns::Server::workers(blueprint_.config.dns); ++worker) {
    // After a take-over that was taken back there may be fewer: the machine's CPUs are counted
    // anew.
    const auto has = [this, worker] { return server_ && worker < server_->workers(); };
    pulse.watch(
        "dns-" + std::to_string(worker),
        [this, worker, has] {
          if (has()) server_->wake(worker);
        },
        [this, worker, has] { return has() ? server_->wakings(worker) : loop_.time; });
  }
  // Whoever is away while another process takes this one's place is not asked.
  pulse.watch("api", [this](Pulse::Answer answer) {
    if (!api_) return answer();
    api_->ask(std::move(answer));
  });
  pulse.watch("store", [this](Pulse::Answer answer) {
    if (store_.get() == nullptr) return answer();
    store_.get()->ask(std::move(answer));
  });
}

void Daemon::make_resource_watch() {
  ResourceWatch::Ports ports;
  ports.accepting = [this]() -> std::optional<ResourceWatch::Accepting> {
    // Either is away while another process takes this one's place.
    if (!server_ || !api_) return std::nullopt;
    const dns::Counters dns = server_->counters();
    const health::AcceptCounts& api = api_->accept_counts();
    return ResourceWatch::Accepting{dns.tcp_accept_errors + api.failed.load(),
                                    dns.tcp_listeners_paused() + api.starving.load() > 0};
  };
  ports.shed = [this](Shedding shedding) { shed(shedding); };
  ports.tell = [this](const std::string& text) {
    health::Event event;
    event.type = health::EventType::Resources;
    event.at = clock_.now().wall;
    event.text = text;
    event.generation = authority_->generation();
    events_->tell(event);
  };
  resources_ = std::make_unique<ResourceWatch>(&loop_, clock_, open_files_, std::move(ports));
  resources_->set_memory_limit(blueprint_.config.memory_limit);
}

void Daemon::shed(Shedding shedding) {
  if (api_) api_->shed(shedding >= Shedding::Readers);
  if (server_) server_->shed(shedding >= Shedding::TcpClients);
}

}  // namespace sluice
