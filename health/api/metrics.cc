#include "health/api/metrics.h"

#include <array>
#include <cstdio>

namespace sluice::health {
namespace {

constexpr std::array kStatuses{Status::Unknown,  Status::Down,    Status::Held,
                               Status::Draining, Status::Drained, Status::Accepting};
constexpr std::array kOrigins{Origin::Operator, Origin::Host, Origin::Schedule};

void family(std::string& page, const char* name, const char* type, const char* help) {
  page.append("# HELP ").append(name).append(" ").append(help).append("\n");
  page.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void sample(std::string& page, const char* name, const std::string& labels, std::uint64_t value) {
  page.append(name);
  if (!labels.empty()) page.append("{").append(labels).append("}");
  page.append(" ").append(std::to_string(value)).append("\n");
}

std::string label(const char* name, std::string_view value) {
  return std::string(name) + "=\"" + label_value(value) + "\"";
}

std::string decimal(double value) {
  std::array<char, 40> text{};
  const int size = std::snprintf(text.data(), text.size(), "%.10g", value);
  return {text.data(), static_cast<std::size_t>(size)};
}

void histogram(std::string& page, const char* name, const char* help, const Histogram& durations) {
  family(page, name, "histogram", help);
  const std::string bucket = std::string(name) + "_bucket";
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < Histogram::kBounds.size(); ++i) {
    count += durations.bucket(i);
    sample(page, bucket.c_str(), label("le", decimal(Histogram::kBounds[i] / 1e6)), count);
  }
  count += durations.bucket(Histogram::kBounds.size());
  sample(page, bucket.c_str(), label("le", "+Inf"), count);
  page.append(name).append("_sum ").append(decimal(durations.sum_seconds())).append("\n");
  // Of the same reading as the buckets, so that +Inf and the count agree.
  sample(page, (std::string(name) + "_count").c_str(), "", count);
}

void gauge(std::string& page, const char* name, const char* help, std::uint64_t value) {
  family(page, name, "gauge", help);
  sample(page, name, "", value);
}

void counter(std::string& page, const char* name, const char* help, std::uint64_t value) {
  family(page, name, "counter", help);
  sample(page, name, "", value);
}

}  // namespace

std::string label_value(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '"') escaped += '\\';
    if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string metrics_text(const Figures& figures, const Histogram& drain_ack,
                         const Histogram* store_commit) {
  std::string page;
  // Room for all, so that a page of 100,000 pools (some 60 MB) is not moved as it grows.
  constexpr std::size_t kUsualSample = 128;
  page.reserve(kUsualSample *
               (kStatuses.size() * figures.services.size() + figures.mass_loss_guard.size() + 100));
  family(page, "sluice_servers", "gauge", "Servers of a pool by the status of a service.");
  std::string series;
  for (const Figures::ServiceCount& count : figures.services) {
    series = "sluice_servers{" + label("pool", count.pool) + "," + label("service", count.service) +
             ",status=\"";
    for (const Status status : kStatuses) {
      page.append(series).append(to_string(status)).append("\"} ");
      page.append(std::to_string(count.by_status.at(static_cast<std::size_t>(status))));
      page.append("\n");
    }
  }
  family(page, "sluice_holds", "gauge", "Holds in force by who placed them.");
  for (const Origin origin : kOrigins) {
    sample(page, "sluice_holds", label("origin", to_string(origin)),
           figures.holds.at(static_cast<std::size_t>(origin)));
  }
  family(page, "sluice_mass_loss_guard_active", "gauge",
         "1 while a pool is answered by the last known health of silent servers.");
  for (const auto& [pool, active] : figures.mass_loss_guard) {
    sample(page, "sluice_mass_loss_guard_active", label("pool", pool), active ? 1 : 0);
  }
  gauge(page, "sluice_generation", "Grows by one at each change of any answer's members.",
        figures.generation);
  gauge(page, "sluice_state_stale", "1 while the state that answers may be old.", 0);
  counter(page, "sluice_heartbeats_total", "Heartbeats that were accepted.",
          figures.heartbeats_total);
  counter(page, "sluice_store_failures_total", "Commits that the store did not make durable.",
          figures.store_failures_total);
  histogram(page, "sluice_drain_ack_seconds", "From a drain's request to its acknowledgement.",
            drain_ack);
  if (store_commit != nullptr) {
    histogram(page, "sluice_store_commit_seconds", "Durable transactions of the store.",
              *store_commit);
  }
  return page;
}

}  // namespace sluice::health
