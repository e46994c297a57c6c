#include "tools/sluiced/event_desk.h"

#include <array>
#include <cassert>
#include <charconv>
#include <utility>

#include "tools/sluiced/log.h"

namespace sluice {
namespace {

// How often the audit's old entries go: what is kept is told in days.
constexpr std::uint64_t kPruneMs = 3'600'000;
// And whenever a tenth of what may be kept has come since: so much more there is at most.
constexpr unsigned kPruneShare = 10;

// The start tells this run from every other, since no two are in one millisecond.
std::string name_of_run(const base::Clock& clock) {
  std::array<char, 20> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(),
                                          clock.now().wall.time_since_epoch().count(), 16);
  assert(error == std::errc());
  return {text.data(), end};
}

void write(const EventLines::Line& line) {
  line.warning ? log::warning(line.text) : log::info(line.text);
}

}  // namespace

EventDesk::EventDesk(uv_loop_t* loop, const base::Clock& clock, health::Store& store, Ports ports)
    : clock_(clock), store_(store), ports_(std::move(ports)), hub_(name_of_run(clock)) {
  auto* timer = new uv_timer_t;
  uv_timer_init(loop, timer);  // can't fail
  timer->data = this;
  pruning_.reset(timer);
}

void EventDesk::tell(const health::Event& event) {
  const base::MonoTime now = clock_.now().mono;
  if (const auto passed_over = lines_.passed_over(now)) write(*passed_over);
  if (const auto line = lines_.line_of(event, now)) write(*line);
  hub_.append(event);
  // Whoever drains and resumes without end must not fill the disk within an hour.
  if (health::is_durable(event.type) &&
      ++audited_ >= ports_.settings().audit_entries / kPruneShare) {
    prune_audit();
  }
}

void EventDesk::record(health::Event event) {
  event.at = clock_.now().wall;
  event.generation = ports_.generation();
  store_.commit({health::AppendAudit{event}}, health::Store::Urgency::Behind, nullptr);
  tell(event);
}

void EventDesk::catch_up() {
  if (const auto passed_over = lines_.passed_over(clock_.now().mono)) write(*passed_over);
}

void EventDesk::start_pruning() {
  uv_timer_start(
      pruning_.get(),
      [](uv_timer_t* timer) { static_cast<EventDesk*>(timer->data)->prune_audit(); }, 0, kPruneMs);
}

void EventDesk::stop_pruning() {
  uv_timer_stop(pruning_.get());
}

void EventDesk::prune_audit() {
  audited_ = 0;
  const config::Store& settings = ports_.settings();
  store_.commit(
      {health::PruneAudit{clock_.now().wall - settings.audit_keep, settings.audit_entries}},
      health::Store::Urgency::Behind, nullptr);
}

}  // namespace sluice
