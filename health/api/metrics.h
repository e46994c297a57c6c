#pragma once

#include <string>

#include "health/api/metrics_page.h"
#include "health/histogram.h"
#include "health/view.h"

// The metrics page in Prometheus' text format 0.0.4, written by hand. The files that read its names
// are under tools/packaging/; tests/scenario/metrics_test.py holds them together.
namespace sluice::health {

inline constexpr const char* kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

// What the authority says of itself. The histograms may grow meanwhile; no store, no histogram of
// it.
std::string metrics_text(const Figures& figures, const Histogram& drain_ack,
                         const Histogram* store_commit, bool stale);

// What this responder says of its cluster.
void append_cluster(const ClusterView& cluster, std::string& page);

}  // namespace sluice::health
