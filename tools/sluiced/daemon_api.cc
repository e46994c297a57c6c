// What the daemon is for its API, and the API for it.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "health/api/metrics_page.h"
#include "tools/sluiced/daemon.h"
#include "tools/sluiced/dns_metrics.h"
#include "tools/sluiced/log.h"
#include "tools/sluiced/open_files.h"

namespace sluice {
namespace {

constexpr const char* kStoreIsAway =
    "another process is taking the place of this one: ask again in a moment";

constexpr const char* kBackUpEtcd =
    "the store is the cluster's, in etcd: back that up (etcdctl snapshot save FILE)";

}  // namespace

void Daemon::forget(const std::string& name, const health::Actor& by,
                    const health::Api::Ports::Forgotten& done) {
  using health::Refusal;
  if (!cluster_) {
    return done(base::Unexpected{
        health::refuse(Refusal::Kind::NotFound, "this responder has the embedded store")});
  }
  cluster_->member().forget(name, [this, name, by, done](const auto& outcome) {
    if (outcome) {
      health::Event event;
      event.type = health::EventType::Forget;
      event.by = by.by;
      event.origin = by.origin;
      event.text = "responder " + name + " was forgotten";
      events_->record(std::move(event));
    }
    done(outcome);
  });
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
  ports.cluster = [this]() -> std::optional<health::ClusterView> {
    if (!cluster_) return std::nullopt;
    return cluster_->member().view();
  };
  ports.forget = [this](const std::string& name, const health::Actor& by,
                        const health::Api::Ports::Forgotten& done) { forget(name, by, done); };
  if (ClusterSeat* const cluster = cluster_.get(); cluster != nullptr) {
    ports.stale = [cluster] { return cluster->stale(); };  // the API ends first
  }
  ports.dns_metrics = [this](std::string& page) {
    append_dns_metrics(server_->counters(), publisher_->answer_set_queries(), page);
    resources_->append_metrics(page);
    health::MetricsPage(page).counter(
        "sluice_take_overs_failed_total",
        "Processes that were to take this one's place (SIGUSR2) and did not.",
        failed_take_overs_.load(std::memory_order_relaxed));
  };
  ports.store_commit_seconds = &store_.commit_seconds();
  ports.not_ready = [] { return std::optional<std::string>(); };
  ports.history = [this](const std::string& server, std::size_t limit,
                         std::function<void(health::SqliteStore::History)> done) {
    if (cluster_) return cluster_->member().audit().history(server, limit, std::move(done));
    // It leaves while a request is under way when another process takes this one's place.
    if (store_.get() == nullptr) return done(base::Unexpected{std::string(kStoreIsAway)});
    store_.get()->history(server, limit, std::move(done));
  };
  ports.backup = [this](std::function<void(health::SqliteStore::Copy)> done) {
    if (cluster_) return done(base::Unexpected{std::string(kBackUpEtcd)});
    if (store_.get() == nullptr) return done(base::Unexpected{std::string(kStoreIsAway)});
    store_.get()->export_copy([done = std::move(done)](health::SqliteStore::Copy copy) {
      if (!copy) return done(base::Unexpected{"the store failed: " + copy.error()});
      done(std::move(copy));
    });
  };
  ports.events = &events_->hub();
  ports.audit = [this](health::Event event) {
    mailbox_->post([this, event = std::move(event)] { events_->record(event); });
  };
  ports.clock = &clock_;
  const health::HttpLimits limits = api_limits(open_files_, server_->most_tcp_clients());
  warn_of_agents(limits);
  auto api = health::Api::start(blueprint_.config.api, listening_.api, std::move(ports), limits);
  if (!api) return base::Unexpected{Errors{std::move(api).error()}};
  api_ = *std::move(api);
  shed(resources_->shedding());
  for (const base::SocketAddress& address : api_->listening()) {
    log::info("api listening on " + address.to_string() +
              (blueprint_.config.api.tls ? " (https)" : ""));
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

}  // namespace sluice
