#include "health/api/metrics.h"

#include <algorithm>
#include <array>

#include "config/base/duration.h"

namespace sluice::health {
namespace {

constexpr std::array kStatuses{Status::Unknown,  Status::Down,    Status::Held,
                               Status::Draining, Status::Drained, Status::Accepting};
constexpr std::array kOrigins{Origin::Operator, Origin::Host, Origin::Schedule};

void servers(MetricsPage& page, const Figures& figures) {
  page.family("sluice_servers", "gauge", "Servers of a pool by the status of a service.");
  for (const Figures::ServiceCount& count : figures.services) {
    for (const Status status : kStatuses) {
      page.sample({{"pool", count.pool}, {"service", count.service}, {"status", to_string(status)}},
                  count.by_status.at(static_cast<std::size_t>(status)));
    }
  }
  page.family("sluice_accepting_servers", "gauge",
              "Servers that count for the floor: answered and not brought by a fallback.");
  for (const Figures::ServiceCount& count : figures.services) {
    page.sample({{"pool", count.pool}, {"service", count.service}}, count.accepting);
  }
  page.family("sluice_min_accepting_servers", "gauge",
              "The floor: the largest min_accepting of the answers that follow the service.");
  for (const Figures::ServiceCount& count : figures.services) {
    page.sample({{"pool", count.pool}, {"service", count.service}}, count.min_accepting);
  }
  page.family("sluice_sessions", "gauge", "Sessions that the agents of a pool's servers count.");
  for (const Figures::SessionCount& count : figures.sessions) {
    page.sample({{"pool", count.pool}, {"service", count.service}, {"counter", count.counter}},
                count.sessions);
  }
  page.family("sluice_mass_loss_guard_active", "gauge",
              "1 while a pool is answered by the last known health of silent servers.");
  for (const auto& [pool, active] : figures.mass_loss_guard) {
    page.sample({{"pool", pool}}, active ? 1U : 0U);
  }
  page.counter("sluice_lease_losses_total", "Servers whose agents fell silent for a whole lease.",
               figures.lease_losses_total);
}

void holds(MetricsPage& page, const Figures& figures) {
  page.family("sluice_holds", "gauge", "Holds in force by who placed them.");
  for (const Origin origin : kOrigins) {
    page.sample({{"origin", to_string(origin)}},
                figures.holds.at(static_cast<std::size_t>(origin)));
  }
  page.family("sluice_holds_older_than", "gauge",
              "Those of sluice_holds that are at least so old; each age has the older ones too.");
  for (const Origin origin : kOrigins) {
    const auto& counts = figures.holds_by_age.at(static_cast<std::size_t>(origin));
    // The first age is none, and all are older: sluice_holds.
    for (std::size_t age = 1; age < counts.size(); ++age) {
      page.sample(
          {{"origin", to_string(origin)}, {"age", base::to_text(Figures::kHoldAges.at(age))}},
          counts.at(age));
    }
  }
  page.gauge("sluice_holds_alarming", "Holds whose time is over and that alarm instead of ending.",
             figures.holds_alarming);
  page.gauge("sluice_schedules", "Planned drains that wait for their time.", figures.schedules);
}

void drains(MetricsPage& page, const Figures& figures) {
  page.family("sluice_draining_servers", "gauge",
              "Servers whose service has status draining; no sample: none of the service is held.");
  for (const Figures::Draining& drain : figures.draining) {
    page.sample({{"pool", drain.pool}, {"service", drain.service}}, drain.servers);
  }
  page.family("sluice_draining_oldest_seconds", "gauge",
              "Age of the oldest hold on a service that is draining; 0: none is.");
  for (const Figures::Draining& drain : figures.draining) {
    page.sample({{"pool", drain.pool}, {"service", drain.service}}, drain.oldest_seconds);
  }
  page.family("sluice_horizon_seconds", "gauge",
              "Until the last cache forgets the last held server of a service; 0: all have.");
  for (const Figures::Draining& drain : figures.draining) {
    page.sample({{"pool", drain.pool}, {"service", drain.service}}, drain.horizon_seconds);
  }
  page.counter("sluice_refusals_total", "Drains and pauses that a rule refused.",
               figures.refusals_total);
}

void authority(MetricsPage& page, const Figures& figures, bool stale) {
  page.family("sluice_build_info", "gauge", "Always 1; which build this is.");
  page.sample({{"version", SLUICE_VERSION}}, 1U);
  page.gauge("sluice_generation", "Grows by one at each change of any answer's members.",
             figures.generation);
  page.counter("sluice_publications_total", "Snapshots handed to the responder.",
               figures.publications_total);
  page.gauge("sluice_state_stale", "1 while the state that answers may be old.", stale ? 1U : 0U);
  page.counter("sluice_heartbeats_total", "Heartbeats that were accepted.",
               figures.heartbeats_total);
  page.counter("sluice_store_failures_total", "Commits that the store did not make durable.",
               figures.store_failures_total);
}

}  // namespace

std::string metrics_text(const Figures& figures, const Histogram& drain_ack,
                         const Histogram* store_commit, bool stale) {
  std::string text;
  // Room for all, so that a page of 100,000 pools (some 80 MB) is not moved as it grows.
  constexpr std::size_t kUsualSample = 128;
  constexpr std::size_t kOfAService = kStatuses.size() + 2;
  constexpr std::size_t kOfADrain = 3;
  constexpr std::size_t kOthers = 150;  // what does not grow with the pools, helps included
  text.reserve(kUsualSample *
               (kOfAService * figures.services.size() + figures.mass_loss_guard.size() +
                figures.sessions.size() + kOfADrain * figures.draining.size() + kOthers));
  MetricsPage page(text);
  servers(page, figures);
  holds(page, figures);
  drains(page, figures);
  authority(page, figures, stale);
  page.histogram("sluice_drain_ack_seconds", "From a drain's request to its acknowledgement.",
                 drain_ack);
  if (store_commit != nullptr) {
    page.histogram("sluice_store_commit_seconds", "Durable transactions of the store.",
                   *store_commit);
  }
  return text;
}

void append_cluster(const ClusterView& cluster, std::string& text) {
  MetricsPage page(text);
  const auto alive = static_cast<std::uint64_t>(
      std::ranges::count_if(cluster.responders, &ClusterResponderView::alive));
  page.family("sluice_cluster_responders", "gauge",
              "Responders of the cluster that are not forgotten, by whether they are alive.");
  page.sample({{"state", "alive"}}, alive);
  page.sample({{"state", "lost"}}, cluster.responders.size() - alive);
  page.family("sluice_cluster_publications_behind", "gauge",
              "Publications that a responder has not confirmed yet.");
  for (const ClusterResponderView& each : cluster.responders) {
    page.sample({{"responder", each.name}}, each.behind);
  }
  page.gauge("sluice_cluster_decides", "1 while this responder decides for all.",
             cluster.state == ClusterState::Deciding ? 1U : 0U);
  page.family("sluice_cluster_clock_offset_seconds", "gauge",
              "A responder's wall clock less this one's; no sample: not known.");
  for (const ClusterResponderView& each : cluster.responders) {
    if (!each.clock_offset) continue;
    page.sample({{"responder", each.name}}, static_cast<double>(each.clock_offset->count()) / 1e3);
  }
  page.gauge("sluice_cluster_alarm", "1 while the cluster's state needs an operator.",
             cluster.alarm.empty() ? 0U : 1U);
}

}  // namespace sluice::health
