// The daemon as one of several responders that share one state (health/cluster/README.md).

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tools/sluiced/daemon.h"
#include "tools/sluiced/digest.h"
#include "tools/sluiced/log.h"

namespace sluice {

base::Checked<std::unique_ptr<ClusterSeat>> Daemon::open_seat() {
  ClusterSeat::Ports ports;
  ports.post = [this](std::function<void()> task) { mailbox_->post(std::move(task)); };
  ports.stale_changed = [this] { explain_stale(); };
  ports.woken = [this] {
    if (timer_ && authority_) arm_timer();
  };
  ports.serial_base = [this](const health::PutSerialBase& base) { serials_.keep(base); };
  return ClusterSeat::open(&loop_, clock_, blueprint_.config, blueprint_.digest, std::move(ports));
}

// The zones' serial bases are among what is shared.
base::Result<base::Done, Daemon::Errors> Daemon::open_cluster(config::Config config) {
  blueprint_.digest = digest_of(config);
  blueprint_.config = std::move(config);
  auto seat = open_seat();
  if (!seat) return base::Unexpected{Errors{std::move(seat).error()}};
  cluster_ = *std::move(seat);
  bool waiting = true;
  cluster_->find([&waiting] { waiting = false; });
  while (waiting) uv_run(&loop_, UV_RUN_ONCE);
  serials_ = SerialLedger(cluster_->member().found().stored.serial_bases);
  auto blueprint = draw_blueprint(std::move(blueprint_.config), serials_.bases());
  if (!blueprint) return base::Unexpected{std::move(blueprint).error()};
  blueprint_ = *std::move(blueprint);
  for (const std::string& warning : warnings(blueprint_)) log::warning(warning);
  publisher_ = std::make_unique<dns::ServingPublisher>(
      blueprint_.zones, dns::make_response_settings(blueprint_.config.dns, cookie_secret_),
      dns::Server::workers(blueprint_.config.dns));
  make_follower();
  timer_ = make_timer(loop_, this);
  tick();
  make_resource_watch();
  return base::Done{};
}

void Daemon::make_follower() {
  cluster::Member& member = cluster_->member();
  cluster_->answer_by(*publisher_);
  store_.take(member.store());
  health::Authority::Settings settings;
  settings.health = blueprint_.config.health;
  settings.responder = blueprint_.config.dns.identity;
  settings.cluster = &member;
  settings.confirm_timeout = blueprint_.config.store.etcd->confirm_timeout;
  // The rest comes with follow().
  health::StoredState stored;
  stored.pool_ttls = member.found().stored.pool_ttls;
  authority_ = std::make_unique<health::Authority>(
      blueprint_.topology, std::move(settings), clock_, member.publisher(), store_,
      std::move(stored), [this](const health::Event& event) { events_->tell(event); });
  member.serve(*authority_);
  explain_stale();
}

void Daemon::explain_stale() {
  if (!publisher_ || !cluster_) return;
  publisher_->mark_stale(blueprint_.config.dns.explain_stale && cluster_->stale().has_value());
}

// From here on the others wait for what this responder confirms.
void Daemon::join_cluster() {
  std::vector<std::string> dns;
  for (const base::SocketAddress& address : server_->listening()) {
    dns.push_back(address.to_string());
  }
  std::vector<std::string> api;
  for (const base::SocketAddress& address : api_->listening()) api.push_back(address.to_string());
  cluster_->member().join(std::move(dns), std::move(api));
  // What a zone's serial begins with must not be forgotten.
  if (auto bases = serials_.changes_for(*blueprint_.zones); !bases.empty()) {
    cluster_->member().change(
        [this] {
          // The watch brings them back, once everybody has them.
          store_.commit(serials_.changes_for(*blueprint_.zones), health::Store::Urgency::First,
                        nullptr);
        },
        [](const std::string& why) {
          log::warning("the zones' serials are not shared yet: " + why);
        });
  }
  events_->start_pruning();
  tick();
}

// A take-over was taken back: the directory is free again, and the others decided on meanwhile.
void Daemon::rejoin_cluster() {
  auto seat = open_seat();
  if (!seat) {
    if (reopening_) return;  // said
    log::error("the store can't be opened again; answering by what is known: " +
               base::to_string(seat.error()));
    reopening_ = make_timer(loop_, this);
    constexpr std::uint64_t kReopenMs = 1'000;
    uv_timer_start(
        reopening_.get(),
        [](uv_timer_t* timer) { static_cast<Daemon*>(timer->data)->rejoin_cluster(); }, kReopenMs,
        kReopenMs);
    return;
  }
  reopening_.reset();
  cluster_ = *std::move(seat);
  cluster_->find([this] {
    store_.forget();  // what waits is decided anew
    authority_.reset();
    publisher_->prepare(blueprint_.zones,
                        dns::make_response_settings(blueprint_.config.dns, cookie_secret_));
    make_follower();
    replaced_ = true;
    resume_api();
    if (api_) join_cluster();
  });
}

// What a reload decides the others follow: so it is done while this responder has the turn.
void Daemon::take_over_in_turn(std::shared_ptr<Blueprint> next, const health::Actor& by,
                               const Reloaded& done) {
  cluster_->member().change(
      [this, next, by, done] {
        store_.commit(serials_.changes_for(*next->zones), health::Store::Urgency::First, nullptr);
        cluster_->member().configured(next->digest);
        end_reload(put_in_place(*next), by, done);
      },
      [this, by, done](const std::string& why) {
        end_reload({{{}, {}, why}}, by, done);
      });
}

}  // namespace sluice
