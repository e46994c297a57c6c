#include "health/api/event_hub.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace sluice::health {
namespace {

// Of what is copied while the appender may wait: some ten microseconds.
constexpr std::size_t kEventsAtOnce = 256;

// Digits alone: what id_of() writes and nothing else.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

}  // namespace

EventHub::EventHub(std::string run, std::size_t kept) : run_(std::move(run)), kept_(kept) {}

void EventHub::append(Event event) {
  const auto added = std::make_shared<Event>(std::move(event));
  std::shared_ptr<const Event> gone;  // ends outside of the lock
  std::function<void()> wake;
  {
    const std::lock_guard lock(mutex_);
    ++newest_;
    added->id = id_of(newest_);
    if (ring_.size() < kept_) {
      ring_.push_back(added);
    } else {
      gone = std::exchange(ring_[(newest_ - 1) % kept_], added);
    }
    if (std::exchange(awaited_, false)) wake = wake_;
  }
  if (wake) wake();
}

std::uint64_t EventHub::newest() const {
  const std::lock_guard lock(mutex_);
  return newest_;
}

std::string EventHub::id_of(std::uint64_t number) const {
  return run_ + "-" + std::to_string(number);
}

// One above the newest when there is none.
std::uint64_t EventHub::oldest_locked() const noexcept {
  return newest_ - ring_.size() + 1;
}

EventHub::Portion EventHub::take(std::uint64_t from, std::size_t most) const {
  Portion portion;
  const std::lock_guard lock(mutex_);
  portion.first = std::max(from, oldest_locked());
  for (std::uint64_t number = portion.first;
       number <= newest_ && portion.events.size() < std::min(most, kEventsAtOnce); ++number) {
    portion.events.push_back(ring_[(number - 1) % kept_]);
  }
  return portion;
}

EventHub::Resumption EventHub::resume_after(std::string_view id) const {
  const std::size_t dash = id.find('-');
  std::optional<std::uint64_t> number;
  if (dash != std::string_view::npos && id.substr(0, dash) == run_) {
    number = parse_number(id.substr(dash + 1));
  }
  const std::lock_guard lock(mutex_);
  if (number && *number <= newest_ && *number + 1 >= oldest_locked()) return {*number + 1, false};
  return {oldest_locked(), true};
}

std::vector<Event> EventHub::status_changes(std::string_view server, std::size_t most) const {
  std::vector<Event> changes;
  const std::uint64_t last = newest();  // what comes meanwhile is of a later moment
  for (std::uint64_t next = 1; next <= last;) {
    const Portion portion = take(next, kEventsAtOnce);
    next = portion.first + portion.events.size();
    for (const auto& event : portion.events) {
      if (event->type == EventType::Status && event->server == server) changes.push_back(*event);
    }
  }
  if (changes.size() > most) {
    changes.erase(changes.begin(), changes.end() - static_cast<std::ptrdiff_t>(most));
  }
  return changes;
}

void EventHub::set_wake(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

bool EventHub::wait(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  if (newest_ > number) return false;
  awaited_ = true;
  return true;
}

}  // namespace sluice::health
