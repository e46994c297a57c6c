#include "tools/sluiced/daemon.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <csignal>
#include <optional>
#include <thread>
#include <utility>

#include <malloc.h>

#include "tools/sluiced/counted.h"
#include "tools/sluiced/dns_metrics.h"
#include "tools/sluiced/log.h"
#include "tools/sluiced/open_files.h"
#include "tools/supervisor/supervisor.h"

namespace sluice {
namespace {

base::UvHandle<uv_timer_t> make_timer(uv_loop_t& loop, void* owner) {
  auto timer = std::make_unique<uv_timer_t>();
  uv_timer_init(&loop, timer.get());
  timer->data = owner;
  return base::UvHandle<uv_timer_t>(timer.release());
}

void write(const EventLines::Line& line) {
  line.warning ? log::warning(line.text) : log::info(line.text);
}

// How often the audit's old entries go: what is kept is told in days.
constexpr std::uint64_t kPruneMs = 3'600'000;

// The start tells this run from every other, since no two are in one millisecond.
std::string name_of_run(const base::Clock& clock) {
  std::array<char, 20> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(),
                                          clock.now().wall.time_since_epoch().count(), 16);
  assert(error == std::errc());
  return {text.data(), end};
}

}  // namespace

Daemon::Daemon()
    : open_files_(raise_open_files()),
      cookie_secret_(dns::random_sip_key()),
      hub_(name_of_run(clock_)) {
  const int status = uv_loop_init(&loop_);
  assert(status == 0);
  static_cast<void>(status);
  mailbox_ = std::make_unique<base::Mailbox>(&loop_);
  sentry_ = std::make_unique<Sentry>(&loop_, clock_, Supervisor::from_environment(),
                                     [this] { return served(); });
}

base::Result<std::unique_ptr<Daemon>, std::vector<base::Error>> Daemon::start(
    const std::string& file) {
  std::unique_ptr<Daemon> daemon(new Daemon());
  if (auto opened = daemon->open_store(file); !opened) {
    return base::Unexpected{std::move(opened).error()};
  }
  if (auto dns = daemon->start_dns(); !dns) return base::Unexpected{std::move(dns).error()};
  if (auto api = daemon->start_api(); !api) return base::Unexpected{std::move(api).error()};
  daemon->watch_threads();
  daemon->watch_signals();
  return daemon;
}

// The zones' serial bases are in the store, and where the store is stands in the configuration.
base::Result<base::Done, Daemon::Errors> Daemon::open_store(const std::string& file) {
  // A thread has a heap of its own: what a large configuration takes while it is read leaves no
  // holes among what stays. (A reload reads on another thread anyway.)
  std::optional<base::Result<config::Config, Errors>> config;
  std::thread([&] { config = read_config(file); }).join();
  if (!*config) return base::Unexpected{std::move(*config).error()};
  health::StoredState stored;
  auto store = health::SqliteStore::open(
      (*config)->store.directory,
      [this](std::function<void()> task) { mailbox_->post(std::move(task)); },
      [](const std::string& notice) { log::warning(log::escaped(notice)); }, stored);
  if (!store) return base::Unexpected{Errors{std::move(store).error()}};
  store_ = *std::move(store);
  serial_bases_ = stored.serial_bases;
  auto blueprint = draw_blueprint(**std::move(config), serial_bases_);
  if (!blueprint) return base::Unexpected{std::move(blueprint).error()};
  blueprint_ = *std::move(blueprint);
  for (const std::string& warning : warnings(blueprint_)) log::warning(warning);
  start_authority(std::move(stored));
  return base::Done{};
}

// The bases that are on disk from now on. Those of zones that are gone stay: they may return.
void Daemon::keep_serial_bases(const dns::ZoneSet& zones) {
  for (const auto& [zone, base] : zones.serial_bases()) serial_bases_[zone] = base;
}

std::vector<health::Change> Daemon::new_serial_bases(const dns::ZoneSet& zones) const {
  std::vector<health::Change> changes;
  for (const auto& [zone, base] : zones.serial_bases()) {
    const auto known = serial_bases_.find(zone);
    if (known != serial_bases_.end() && known->second == base) continue;
    changes.emplace_back(health::PutSerialBase{zone, base});
  }
  return changes;
}

// Waits for the disk, this once: the first generation is not used before a crash could not take it
// back. A store that fails here does not keep the pool from being answered.
void Daemon::reserve(const health::StoredState& stored) {
  std::vector<health::Change> changes = new_serial_bases(*blueprint_.zones);
  changes.emplace_back(
      health::ReserveGenerations{stored.generation + health::Authority::kGenerationBlock});
  bool waiting = true;
  store_->commit(std::move(changes), health::Store::Urgency::First,
                 [this, &waiting](const health::Store::Stored& done) {
                   waiting = false;
                   if (done) return keep_serial_bases(*blueprint_.zones);
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
  authority_ = std::make_unique<health::Authority>(
      blueprint_.topology,
      health::Authority::Settings{blueprint_.config.health, blueprint_.config.dns.identity}, clock_,
      *publisher_, *store_, std::move(stored), [this](const health::Event& event) { tell(event); });
  for (const health::OrphanView& orphan : authority_->orphans()) {
    log::warning("a hold on " + orphan.server +
                 (orphan.service.empty() ? "" : " " + orphan.service) +
                 " is kept, but the configuration has no such name: in force when it returns");
  }
  timer_ = make_timer(loop_, this);
  tick();
  pruning_ = make_timer(loop_, this);
  uv_timer_start(
      pruning_.get(), [](uv_timer_t* timer) { static_cast<Daemon*>(timer->data)->prune_audit(); },
      0, kPruneMs);
}

void Daemon::tell(const health::Event& event) {
  const base::MonoTime now = clock_.now().mono;
  if (const auto passed_over = lines_.passed_over(now)) write(*passed_over);
  if (const auto line = lines_.line_of(event, now)) write(*line);
  hub_.append(event);
}

// What the daemon itself has to say; the authority audits its own.
void Daemon::record(health::Event event) {
  event.at = clock_.now().wall;
  event.generation = authority_->generation();
  store_->commit({health::AppendAudit{event}}, health::Store::Urgency::Behind, nullptr);
  tell(event);
}

void Daemon::prune_audit() {
  const config::Store& settings = blueprint_.config.store;
  store_->commit(
      {health::PruneAudit{clock_.now().wall - settings.audit_keep, settings.audit_entries}},
      health::Store::Urgency::Behind, nullptr);
}

base::Result<base::Done, Daemon::Errors> Daemon::start_dns() {
  auto server = dns::Server::start(blueprint_.config.dns, publisher_->cell(),
                                   [this] { mailbox_->post([this] { on_progress(); }); });
  if (!server) return base::Unexpected{Errors{std::move(server).error()}};
  server_ = *std::move(server);
  publisher_->set_wake([this] { server_->wake(); });
  server_->wake();
  for (const base::SocketAddress& address : server_->listening()) {
    log::info("dns listening on " + address.to_string());
  }
  on_progress();  // of the publication that they began with, the workers say nothing
  return base::Done{};
}

base::Result<base::Done, Daemon::Errors> Daemon::start_api() {
  health::Api::Ports ports;
  ports.control = [this](std::function<void(health::Authority&)> task) {
    mailbox_->post([this, task = std::move(task)] { task(*authority_); });
  };
  ports.reload = [this](const health::Actor& by, std::function<void(Errors)> done) {
    mailbox_->post([this, by, done = std::move(done)] { reload(by, done); });
  };
  ports.responders = [this] { return std::vector{responder()}; };
  ports.dns_metrics = [this](std::string& page) {
    append_dns_metrics(server_->counters(), publisher_->answer_set_queries(), page);
  };
  ports.store_commit_seconds = &store_->commit_seconds();
  ports.not_ready = [] { return std::optional<std::string>(); };
  ports.history = [this](const std::string& server, std::size_t limit,
                         std::function<void(health::SqliteStore::History)> done) {
    store_->history(server, limit, std::move(done));
  };
  ports.backup = [this](std::function<void(health::SqliteStore::Copy)> done) {
    store_->export_copy(std::move(done));
  };
  ports.events = &hub_;
  ports.failed_authentications = [this](health::Event event) {
    mailbox_->post([this, event = std::move(event)] { record(event); });
  };
  ports.clock = &clock_;
  const health::HttpLimits limits = api_limits(open_files_, server_->most_tcp_clients());
  warn_of_agents(limits);
  auto api = health::Api::start(blueprint_.config.api, std::move(ports), limits);
  if (!api) return base::Unexpected{Errors{std::move(api).error()}};
  api_ = *std::move(api);
  for (const base::SocketAddress& address : api_->listening()) {
    log::info("api listening on " + address.to_string());
  }
  if (!blueprint_.config.api.socket.path.empty()) {
    log::info("api listening on unix " + blueprint_.config.api.socket.path);
  }
  return base::Done{};
}

health::ResponderView Daemon::responder() const {
  health::ResponderView view{blueprint_.config.dns.identity, server_->listening(), {}};
  for (const config::Zone& zone : blueprint_.config.zones) view.zones.push_back(zone.name);
  return view;
}

// Each agent keeps a connection. Those that find no room wait, and their leases run out.
void Daemon::warn_of_agents(const health::HttpLimits& limits) const {
  const auto agents = static_cast<std::size_t>(
      std::ranges::count(blueprint_.config.api.tokens, config::Role::Agent, &config::Token::role));
  if (agents <= limits.connections) return;
  log::warning(std::to_string(agents) + " agents have tokens, but " +
               std::to_string(limits.connections) +
               " connections are all that the API takes with " + std::to_string(open_files_) +
               " open files: raise that limit (LimitNOFILE= of the unit, ulimit -Hn)");
}

void Daemon::on_progress() {
  const std::uint64_t served = server_->served();
  publisher_->served(served);
  authority_->on_served(served);
  // What was published may bring a deadline that is nearer than the timer's: a slow start's steps.
  arm_timer();
  if (!replaced_ || publisher_->retired() > 0) return;
  replaced_ = false;
  malloc_trim(0);  // the configuration before, of which nothing is left
}

void Daemon::tick() {
  authority_->tick();
  if (const auto passed_over = lines_.passed_over(clock_.now().mono)) write(*passed_over);
  arm_timer();
}

void Daemon::arm_timer() {
  const auto next = authority_->next_deadline();
  assert(next);  // never further than a heartbeat away
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*next - clock_.now().mono);
  uv_update_time(&loop_);
  uv_timer_start(
      timer_.get(), [](uv_timer_t* timer) { static_cast<Daemon*>(timer->data)->tick(); },
      static_cast<std::uint64_t>(std::max<std::int64_t>(wait.count(), 1)), 0);
}

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
  std::signal(SIGPIPE, SIG_IGN);
}

// The control thread watches itself: it is the one that tells the supervisor.
void Daemon::watch_threads() {
  Pulse& pulse = sentry_->pulse();
  for (unsigned worker = 0; worker < dns::Server::workers(blueprint_.config.dns); ++worker) {
    pulse.watch(
        "dns-" + std::to_string(worker), [this, worker] { server_->wake(worker); },
        [this, worker] { return server_->wakings(worker); });
  }
  pulse.watch("api", [this](Pulse::Answer answer) { api_->ask(std::move(answer)); });
  pulse.watch("store", [this](Pulse::Answer answer) { store_->ask(std::move(answer)); });
}

std::string Daemon::served() const {
  const health::Topology& topology = *blueprint_.topology;
  return "serving generation " + std::to_string(authority_->generation()) + ", " +
         counted(blueprint_.config.zones.size(), "zone") + ", " +
         counted(topology.pools().size(), "pool") + ", " +
         counted(topology.servers().size(), "server");
}

void Daemon::run() {
  sentry_->start([] { log::info("ready"); });
  malloc_trim(0);  // what reading a large configuration took
  uv_run(&loop_, UV_RUN_DEFAULT);
}

// What was asked is answered first: the API ends each connection after the response that it waits
// for, the DNS workers answer what they have received (~Daemon).
void Daemon::stop() {
  if (stopping_) return;
  stopping_ = true;
  log::info("stopping");
  sentry_->stopping();
  api_->quiesce([this] { mailbox_->post([this] { uv_stop(&loop_); }); });
  // A client that does not read its response does not keep the daemon: three seconds are many
  // round trips, and less than any supervisor's patience.
  patience_ = make_timer(loop_, this);
  uv_timer_start(
      patience_.get(), [](uv_timer_t* timer) { uv_stop(timer->loop); }, 3'000, 0);
}

// First those who bring work, then those who do it; the store goes last and flushes.
Daemon::~Daemon() {
  if (api_) api_->stop();
  if (server_) server_->stop();
  api_.reset();
  server_.reset();
  authority_.reset();
  store_.reset();
  publisher_.reset();
  signals_.clear();
  timer_.reset();
  pruning_.reset();
  patience_.reset();
  sentry_.reset();
  mailbox_.reset();
  uv_run(&loop_, UV_RUN_DEFAULT);  // the close callbacks, and a reload that is still reading
  uv_loop_close(&loop_);
}

// --- reload

namespace {

// Reads a configuration on libuv's thread pool: a large one takes seconds, and the control thread
// has heartbeats to take and drains to acknowledge.
struct Reading {
  uv_work_t work{};
  std::string file;
  dns::SerialBases serial_bases;
  std::optional<base::Result<Blueprint, std::vector<base::Error>>> result;
  std::function<void(base::Result<Blueprint, std::vector<base::Error>>)> done;
};

void read_aside(uv_loop_t* loop, std::unique_ptr<Reading> reading) {
  reading->work.data = reading.get();
  uv_queue_work(
      loop, &reading.release()->work,
      [](uv_work_t* work) {
        auto* self = static_cast<Reading*>(work->data);
        self->result = read_blueprint(self->file, self->serial_bases);
      },
      [](uv_work_t* work, int) {
        const std::unique_ptr<Reading> self(static_cast<Reading*>(work->data));
        self->done(*std::move(self->result));
      });
}

}  // namespace

void Daemon::reload(const health::Actor& by, Reloaded done) {
  if (reloading_) {
    // The one under way may have read its file before this was asked: read it again afterwards.
    waiting_reloads_.emplace_back(by, std::move(done));
    return;
  }
  reloading_ = true;
  sentry_->reloading();
  auto reading = std::make_unique<Reading>();
  reading->file = blueprint_.config.file;
  reading->serial_bases = serial_bases_;
  reading->done = [this, by, done = std::move(done)](auto result) {
    if (!stopping_) take_over(std::move(result), by, done);
  };
  read_aside(&loop_, std::move(reading));
}

void Daemon::take_over(base::Result<Blueprint, Errors> read, const health::Actor& by,
                       const Reloaded& done) {
  if (!read) return end_reload(read.error(), by, done);
  const auto next = std::make_shared<Blueprint>(*std::move(read));
  if (const Errors errors = needs_restart(blueprint_.config, next->config); !errors.empty()) {
    return end_reload(errors, by, done);
  }
  // The serial bases first: what a zone's serial grew by must not be forgotten by a crash.
  store_->commit(new_serial_bases(*next->zones), health::Store::Urgency::First,
                 [this, by, done, next](const health::Store::Stored& stored) {
                   if (!stored) {
                     end_reload({{{}, {}, "the store failed: " + stored.error()}}, by, done);
                     return;
                   }
                   keep_serial_bases(*next->zones);
                   end_reload(put_in_place(std::move(*next)), by, done);
                 });
}

Daemon::Errors Daemon::put_in_place(Blueprint next) {
  if (auto used = api_->use(next.config.api); !used) return {std::move(used).error()};
  for (const std::string& warning : warnings(next)) log::warning(warning);
  blueprint_ = std::move(next);
  publisher_->prepare(blueprint_.zones,
                      dns::make_response_settings(blueprint_.config.dns, cookie_secret_));
  authority_->reconfigure(blueprint_.topology, blueprint_.config.health);
  replaced_ = true;
  tick();
  return {};
}

// Every reload ends here, and the next one that waits begins.
void Daemon::end_reload(const Errors& errors, const health::Actor& by, const Reloaded& done) {
  health::Event event;
  event.type = health::EventType::Reload;
  event.by = by.by;
  event.origin = by.origin;
  if (errors.empty()) {
    log::info("reloaded by " + log::escaped(by.by) + " (generation " +
              std::to_string(authority_->generation()) + ")");
    event.text = "the configuration was taken over";
  } else {
    log::error("reload by " + log::escaped(by.by) + " refused, the old configuration serves on:\n" +
               base::to_string(errors));
    event.text = "refused: " + base::to_string(errors.front()) +
                 (errors.size() > 1 ? " and " + std::to_string(errors.size() - 1) + " more" : "");
  }
  record(std::move(event));
  reloading_ = false;
  sentry_->reloaded(errors);
  done(errors);
  if (waiting_reloads_.empty()) return;
  const auto [next_by, next_done] = std::move(waiting_reloads_.front());
  waiting_reloads_.pop_front();
  reload(next_by, next_done);
}

}  // namespace sluice
