// How the daemon starts, and answers DNS and API: in the order in which each may be relied on.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/sluiced/config_reading.h"
#include "tools/sluiced/counted.h"
#include "tools/sluiced/daemon.h"
#include "tools/sluiced/log.h"
#include "tools/sluiced/opening.h"
#include "tools/sluiced/process_filter.h"

namespace sluice {

base::Result<std::unique_ptr<Daemon>, std::vector<base::Error>> Daemon::start(
    const std::string& file, OwnProgram program) {
  if (auto confined = confine_process(); !confined) {
    log::warning("what sluiced may do is not limited: " + confined.error().message);
  }
  std::optional<Predecessor> predecessor = Predecessor::from_environment();
  std::unique_ptr<Daemon> daemon(new Daemon(std::move(program)));
  if (auto started = daemon->start(file, predecessor); !started) {
    if (predecessor) predecessor->failed(started.error());
    return base::Unexpected{std::move(started).error()};
  }
  return daemon;
}

// With a predecessor each step is one of the handover's (README.md, "Life of an upgrade").
base::Result<base::Done, Daemon::Errors> Daemon::start(const std::string& file,
                                                       std::optional<Predecessor>& predecessor) {
  Listening inherited;
  if (predecessor) {
    auto offer = predecessor->take_offer();
    if (!offer) return base::Unexpected{Errors{std::move(offer).error()}};
    inherited = *std::move(offer);
  }
  auto config = read_alone(file);
  if (!config) return base::Unexpected{std::move(config).error()};
  auto listening = open_sockets(*config, std::move(inherited));
  if (!listening) return base::Unexpected{Errors{std::move(listening).error()}};
  listening_ = *std::move(listening);
  if (predecessor) {
    auto state = predecessor->prepared();
    if (!state) return base::Unexpected{Errors{std::move(state).error()}};
    cookie_secret_ = handover::read_cookie_secret(*state).value_or(cookie_secret_);
  }
  const auto open_it = config->store.etcd ? &Daemon::open_cluster : &Daemon::open_store;
  if (auto opened = (this->*open_it)(*std::move(config)); !opened) return opened;
  if (auto dns = start_dns(); !dns) return dns;
  watch_signals();
  if (predecessor) {
    auto sessions = predecessor->serving();
    if (!sessions) return base::Unexpected{Errors{std::move(sessions).error()}};
    take_place(*predecessor, *std::move(sessions));
    predecessor.reset();
  }
  if (auto api = start_api(); !api) return api;
  // Nobody but this process answers by its name.
  if (cluster_) join_cluster();
  watch_threads();
  resources_->start();
  return base::Done{};
}

// From here on this process alone answers, and there is no way back.
void Daemon::take_place(Predecessor& predecessor, std::vector<dns::SuspendedSession> sessions) {
  const std::size_t clients = sessions.size();
  server_->resume(std::move(sessions));
  nlohmann::json more = nlohmann::json::object();
  if (auto& socket = listening_.api.unix_socket) {
    if (auto permitted = socket->permit(blueprint_.config.api.socket); !permitted) {
      log::warning(base::to_string(permitted.error()));
    }
    more["api_unix"] = socket->path();
  }
  predecessor.taken(more);
  health::Event event;
  event.type = health::EventType::Reload;
  event.origin = "SIGUSR2";
  event.text = "a new process took over, with the configuration that it read";
  events_->record(std::move(event));
  log::info("has taken over, with " + counted(clients, "TCP connection"));
}

base::Checked<std::unique_ptr<health::SqliteStore>> Daemon::open(const std::string& directory,
                                                                 health::StoredState& stored) {
  return health::SqliteStore::open(
      directory, [this](std::function<void()> task) { mailbox_->post(std::move(task)); },
      [](const std::string& notice) { log::warning(log::escaped(notice)); }, stored);
}

// The zones' serial bases are in the store, and where the store is stands in the configuration.
base::Result<base::Done, Daemon::Errors> Daemon::open_store(config::Config config) {
  health::StoredState stored;
  auto store = open(config.store.directory, stored);
  if (!store) return base::Unexpected{Errors{std::move(store).error()}};
  store_.take(*std::move(store));
  serials_ = SerialLedger(stored.serial_bases);
  auto blueprint = draw_blueprint(std::move(config), serials_.bases());
  if (!blueprint) return base::Unexpected{std::move(blueprint).error()};
  blueprint_ = *std::move(blueprint);
  for (const std::string& warning : warnings(blueprint_)) log::warning(warning);
  start_authority(std::move(stored));
  make_resource_watch();
  return base::Done{};
}

// Waits for the disk, this once: the first generation is not used before a crash could not take it
// back. A store that fails here does not keep the pool from being answered.
void Daemon::reserve(const health::StoredState& stored) {
  std::vector<health::Change> changes = serials_.changes_for(*blueprint_.zones);
  changes.emplace_back(
      health::ReserveGenerations{stored.generation + health::Authority::kGenerationBlock});
  bool waiting = true;
  store_.commit(std::move(changes), health::Store::Urgency::First,
                [this, &waiting](const health::Store::Stored& done) {
                  waiting = false;
                  if (done) return serials_.keep(*blueprint_.zones);
                  log::error("the store failed at the start (" + done.error() +
                             "): answering all the same; serials may repeat after a crash");
                });
  while (waiting) uv_run(&loop_, UV_RUN_ONCE);
}

void Daemon::start_authority(health::StoredState stored) {
  reserve(stored);
  publisher_ = std::make_unique<dns::ServingPublisher>(
      blueprint_.zones, dns::make_response_settings(blueprint_.config.dns, cookie_secret_),
      dns::Server::workers(blueprint_.config.dns));
  make_authority(std::move(stored));
  timer_ = make_timer(loop_, this);
  tick();
  events_->start_pruning();
}

void Daemon::make_authority(health::StoredState stored) {
  authority_ = std::make_unique<health::Authority>(
      blueprint_.topology,
      health::Authority::Settings{blueprint_.config.health, blueprint_.config.dns.identity}, clock_,
      *publisher_, store_, std::move(stored),
      [this](const health::Event& event) { events_->tell(event); });
  for (const health::OrphanView& orphan : authority_->orphans()) {
    log::warning("a hold on " + orphan.server +
                 (orphan.service.empty() ? "" : " " + orphan.service) +
                 " is kept, but the configuration has no such name: in force when it returns");
  }
}

base::Result<base::Done, Daemon::Errors> Daemon::start_dns() {
  auto server = dns::Server::start(blueprint_.config.dns, listening_.dns, publisher_->cell(),
                                   [this] { mailbox_->post([this] { on_progress(); }); });
  if (!server) return base::Unexpected{Errors{std::move(server).error()}};
  server_ = *std::move(server);
  shed(resources_->shedding());
  if (const std::string& why = server_->unconfined(); !why.empty()) {
    log::warning("what the DNS workers may do is not limited: " + why);
  }
  publisher_->set_wake([this] {
    if (server_) server_->wake();
  });
  server_->wake();
  for (const base::SocketAddress& address : server_->listening()) {
    log::info("dns listening on " + address.to_string());
  }
  on_progress();  // of the publication that they began with, the workers say nothing
  return base::Done{};
}

}  // namespace sluice
