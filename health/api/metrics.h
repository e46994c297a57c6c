#pragma once

#include <string>

#include "health/histogram.h"
#include "health/view.h"

// The metrics page in Prometheus' text format 0.0.4, written by hand.
namespace sluice::health {

inline constexpr const char* kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

// What the authority says of itself. The histograms may grow meanwhile; no store, no histogram of
// it.
std::string metrics_text(const Figures& figures, const Histogram& drain_ack,
                         const Histogram* store_commit);

// A label's value, without its quotes: backslash, quote and line feed escaped.
std::string label_value(std::string_view text);

}  // namespace sluice::health
