#pragma once

#include <optional>

#include <uv.h>

#include "config/agent_model.h"
#include "tools/sluice-agent/http_client.h"
#include "tools/sluice-agent/sessions/counter.h"
#include "tools/sluice-agent/sessions/metric_reader.h"

namespace sluice::agent {

// A metric of a page in Prometheus' text format (metric_reader.h). Each reading has a connection of
// its own: none stays open that the service could take for a client, or wait for at its end.
class HttpCounter final : public Counter {
 public:
  // A page of 100,000 series has some 10 MB; it is read as it comes and never kept.
  static constexpr std::size_t kMaxPage = 16U << 20U;

  HttpCounter(uv_loop_t* loop, config::HttpMetric source, base::Duration limit);

  void read(base::MonoTime now) override;
  std::vector<base::SocketAddress> own_connections() const override;

 private:
  base::Checked<std::uint64_t> finish(const base::Checked<HttpAnswer>& answer);

  config::HttpMetric source_;
  base::Duration limit_;
  std::optional<MetricReader> reader_;  // of the page under way
  HttpClient http_;
};

}  // namespace sluice::agent
