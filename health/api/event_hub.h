#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "health/event.h"

namespace sluice::health {

// The newest events of this run, for those who watch and for the history. Any thread may call;
// nobody ever waits for more than the copy of a few hundred pointers.
class EventHub {
 public:
  // What happens while a reader is away for a minute: a server that is drained brings some ten
  // events, so these are a thousand of them, or a site of 10,000 that goes silent. Some 5 MB.
  static constexpr std::size_t kKept = 10'000;

  // `run` tells this run of the program from every other, and has no dash.
  explicit EventHub(std::string run, std::size_t kept = kKept);
  EventHub(const EventHub&) = delete;
  EventHub& operator=(const EventHub&) = delete;

  // Gives it its id and keeps it, in place of the oldest when there are enough.
  void append(Event event);

  // Events are numbered from 1. 0: there was none yet.
  std::uint64_t newest() const;
  std::string id_of(std::uint64_t number) const;

  struct Portion {
    std::uint64_t first = 0;  // the number of the first of them; the others follow one by one
    std::vector<std::shared_ptr<const Event>> events;
  };
  // So many at most, from number `from` on, or from the oldest that is left if that is newer.
  Portion take(std::uint64_t from, std::size_t most) const;

  struct Resumption {
    std::uint64_t next = 1;  // the first that a reader wants who has seen `id`
    bool lost = false;       // `id` is of another run, or what followed it is gone: `next` is all
  };
  Resumption resume_after(std::string_view id) const;

  // The Status events of a server that are left, the newest `most` of them, oldest first.
  std::vector<Event> status_changes(std::string_view server, std::size_t most) const;

  // `wake` is called once by the append() that brings more than `number`, if wait() said that
  // there is no more yet; one for all who wait. On the appender's thread: it must return at once.
  void set_wake(std::function<void()> wake);
  bool wait(std::uint64_t number);

 private:
  std::uint64_t oldest_locked() const noexcept;

  const std::string run_;
  const std::size_t kept_;
  mutable std::mutex mutex_;
  // The rest is guarded by mutex_. Number N is at (N - 1) modulo kept_.
  std::vector<std::shared_ptr<const Event>> ring_;
  std::uint64_t newest_ = 0;
  std::function<void()> wake_;
  bool awaited_ = false;
};

}  // namespace sluice::health
