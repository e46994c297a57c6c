#include "health/api/handshakes.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "health/api/metrics_page.h"

namespace sluice::health {
namespace {

constexpr std::array<std::string_view, 8> kEnds{"full",     "resumed",    "client_certificate",
                                                "protocol", "plain_http", "timeout",
                                                "gave_way", "gone"};

}  // namespace

Handshakes::Handshakes(uv_loop_t* loop, const HandshakeQueue::Limits& limits, Call turn, Call cut)
    : loop_(loop), queue_(limits), turn_(std::move(turn)), cut_(std::move(cut)) {
  auto* prepare = new uv_prepare_t;
  uv_prepare_init(loop, prepare);
  prepare->data = this;
  prepare_.reset(prepare);
  auto* timer = new uv_timer_t;
  uv_timer_init(loop, timer);
  timer->data = this;
  timer_.reset(timer);
}

void Handshakes::ready(Id id) {
  queue_.ready(id);
  look_again();
}

void Handshakes::end(Id id, HandshakeEnd how) {
  ++ends_.at(static_cast<std::size_t>(how));
  queue_.forget(id);
  look_again();
}

void Handshakes::close() {
  prepare_.reset();
  timer_.reset();
}

void Handshakes::look_again() {
  if (!prepare_ || uv_is_active(reinterpret_cast<uv_handle_t*>(prepare_.get())) != 0) return;
  uv_prepare_start(prepare_.get(),
                   [](uv_prepare_t* prepare) { static_cast<Handshakes*>(prepare->data)->run(); });
}

// Before the loop waits. Whoever has a turn has something to be read, so that it does not wait
// while there are more.
void Handshakes::run() {
  while (const auto id = queue_.gives_way(now())) cut_(*id);
  std::size_t turns = 0;
  for (; turns < queue_.turns(); ++turns) {
    const auto id = queue_.next(now());
    if (!id) break;
    turn_(*id);
  }
  if (turns == queue_.turns()) return;
  uv_prepare_stop(prepare_.get());
  const auto at = queue_.gives_way_at();
  if (!at) return;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*at - now()).count();
  uv_timer_start(
      timer_.get(), [](uv_timer_t* timer) { static_cast<Handshakes*>(timer->data)->look_again(); },
      static_cast<std::uint64_t>(std::max<std::int64_t>(wait, 1)), 0);
}

base::MonoTime Handshakes::now() const {
  return base::MonoTime(std::chrono::milliseconds(uv_now(loop_)));
}

void Handshakes::append_to(std::string& page) const {
  MetricsPage metrics(page);
  metrics.family("sluice_api_tls_handshakes_total", "counter",
                 "TLS handshakes of the API by how they ended.");
  for (std::size_t i = 0; i < kEnds.size(); ++i) metrics.sample({{"result", kEnds[i]}}, ends_[i]);
  metrics.gauge("sluice_api_tls_handshakes_in_flight", "TLS handshakes of the API under way.",
                queue_.under_way());
  metrics.gauge("sluice_api_tls_handshakes_waiting", "Clients that wait for one to begin.",
                queue_.waiting());
}

}  // namespace sluice::health
