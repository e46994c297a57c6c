#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/uv_handle.h"
#include "tools/sluiced/memory_limit.h"
#include "tools/sluiced/memory_watch.h"
#include "tools/sluiced/shortage.h"

namespace sluice {

// Looks some times a second whether descriptors or memory run out, has the least important clients
// turned away when memory does, and tells people: one event an episode, however many clients it
// met. On the control thread; nothing that serves waits for it.
class ResourceWatch {
 public:
  // Clients that could not be accepted.
  struct Accepting {
    std::uint64_t failures = 0;  // ever
    bool paused = false;         // somewhere nobody is accepted now
  };
  struct Ports {
    std::function<std::optional<Accepting>()> accepting;  // nothing: it can't be told now
    std::function<void(Shedding)> shed;                   // from now on
    std::function<void(const std::string& text)> tell;    // one sentence for people
  };

  // `loop` and `clock` must outlive it; `open_files`: that the process may have.
  ResourceWatch(uv_loop_t* loop, const base::Clock& clock, std::size_t open_files, Ports ports);
  ResourceWatch(const ResourceWatch&) = delete;
  ResourceWatch& operator=(const ResourceWatch&) = delete;
  ~ResourceWatch() = default;

  void start();

  // `configured`: octets; 0: what the control group has, if that is limited.
  void set_memory_limit(std::uint64_t configured);

  // Who is turned away now, for one that begins to serve. Any thread.
  Shedding shedding() const noexcept { return shedding_.load(std::memory_order_relaxed); }

  // Writes its figures at the end of a metrics page. Any thread.
  void append_metrics(std::string& page) const;

 private:
  void look();
  void look_at_descriptors(base::MonoTime now);
  void look_at_memory(base::MonoTime now);

  const base::Clock& clock_;
  const std::size_t open_files_;
  const Ports ports_;
  Shortage descriptors_;
  ResidentMemory resident_;
  MemoryWatch memory_;
  base::MonoTime trimmed_{};
  std::atomic<std::uint64_t> limit_{0};
  std::atomic<Shedding> shedding_{Shedding::Nobody};
  base::UvHandle<uv_timer_t> timer_;
};

}  // namespace sluice
