#include "tools/sluiced/resource_watch.h"

#include <string>
#include <utility>

#include <malloc.h>

#include "config/base/size.h"
#include "health/api/metrics_page.h"

namespace sluice {
namespace {

// Soon enough for people, and a few microseconds each.
constexpr std::uint64_t kLookMilliseconds = 250;
// It walks all that is free and holds up whoever allocates meanwhile: milliseconds.
constexpr base::Duration kTrimEvery = std::chrono::seconds(1);

}  // namespace

ResourceWatch::ResourceWatch(uv_loop_t* loop, const base::Clock& clock, std::size_t open_files,
                             Ports ports)
    : clock_(clock), open_files_(open_files), ports_(std::move(ports)) {
  auto* timer = new uv_timer_t;
  uv_timer_init(loop, timer);  // can't fail
  timer->data = this;
  timer_.reset(timer);
}

void ResourceWatch::start() {
  uv_timer_start(
      timer_.get(), [](uv_timer_t* handle) { static_cast<ResourceWatch*>(handle->data)->look(); },
      kLookMilliseconds, kLookMilliseconds);
}

void ResourceWatch::set_memory_limit(std::uint64_t configured) {
  const std::uint64_t limit =
      configured != 0 ? configured : cgroup_memory_limit().value_or(std::uint64_t{0});
  memory_.set_limit(limit);
  limit_.store(limit, std::memory_order_relaxed);
}

void ResourceWatch::append_metrics(std::string& page) const {
  health::MetricsPage metrics(page);
  metrics.gauge("sluice_memory_limit_bytes",
                "memory_limit, or what the control group may have; 0: none.",
                limit_.load(std::memory_order_relaxed));
  metrics.gauge("sluice_memory_shedding",
                "Memory is short: 1 turns readers of the API away, 2 DNS over TCP, too.",
                static_cast<unsigned>(shedding()));
}

void ResourceWatch::look() {
  const base::MonoTime now = clock_.now().mono;
  look_at_descriptors(now);
  look_at_memory(now);
}

void ResourceWatch::look_at_descriptors(base::MonoTime now) {
  const std::optional<Accepting> accepting = ports_.accepting();
  if (!accepting) return;
  switch (descriptors_.look(accepting->failures, accepting->paused, now)) {
    case Shortage::Change::None:
      break;
    case Shortage::Change::Begins:
      ports_.tell("file descriptors are used up (" + std::to_string(open_files_) +
                  " may be open): new TCP clients wait until some are free, DNS over UDP goes on; "
                  "LimitNOFILE= of the unit (ulimit -Hn) allows more");
      break;
    case Shortage::Change::Ends:
      ports_.tell("file descriptors are free again: TCP clients are accepted");
      break;
  }
}

void ResourceWatch::look_at_memory(base::MonoTime now) {
  const std::uint64_t resident = resident_.octets();
  const Shedding before = memory_.shedding();
  const Shedding after = memory_.look(resident, now);
  // What the clients that were turned away leave is the system's again only now.
  if (after != Shedding::Nobody && now - trimmed_ >= kTrimEvery) {
    trimmed_ = now;
    malloc_trim(0);
  }
  if (after == before) return;
  shedding_.store(after, std::memory_order_relaxed);
  ports_.shed(after);
  const std::string figures = std::to_string(resident >> 20) + " MiB are resident, the limit is " +
                              base::size_text(memory_.limit());
  switch (after) {
    case Shedding::Nobody:
      ports_.tell("memory is enough again (" + figures + "): everybody is served");
      break;
    case Shedding::Readers:
      ports_.tell("memory is short (" + figures +
                  "): readers of the API are turned away; agents, orders and DNS are served");
      break;
    case Shedding::TcpClients:
      ports_.tell(
          "memory is short (" + figures +
          "): readers of the API and DNS over TCP are turned away; agents, orders and DNS over "
          "UDP are served");
      break;
  }
}

}  // namespace sluice
