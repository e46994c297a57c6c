#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/uv_handle.h"
#include "tools/sluiced/pulse.h"
#include "tools/supervisor/supervisor.h"

namespace sluice {

// Tells the supervisor how the daemon is: that it answers, what it serves, that all its threads
// live. On the control thread, whose own life each message proves.
class Sentry {
 public:
  // `status`: what is served, in a line.
  Sentry(uv_loop_t* loop, const base::Clock& clock, Supervisor supervisor,
         std::function<std::string()> status);
  Sentry(const Sentry&) = delete;
  Sentry& operator=(const Sentry&) = delete;

  // Whom to watch; before start().
  Pulse& pulse() noexcept { return pulse_; }

  // Calls `ready` once every thread has come round to its work, and tells the supervisor; then
  // watches on.
  void start(std::function<void()> ready);
  void reloading();
  void reloaded(const std::vector<base::Error>& errors);
  void stopping();
  // Nobody took this one's place. `why`: a sentence, in the status until a reload or a take-over is
  // tried again.
  void stayed(const std::string& why);
  // That process has taken this one's place.
  base::Checked<base::Done> left_to(int pid);

 private:
  void look();
  void begin_watch();
  void note(std::vector<Pulse::Silent> silent);
  std::string status() const;

  const base::Clock& clock_;
  Supervisor supervisor_;
  std::function<std::string()> what_is_served_;
  Pulse pulse_;
  std::function<void()> ready_;  // empty once called
  std::vector<Pulse::Silent> silent_;
  base::MonoTime silent_since_{};
  std::string refused_;  // why the last reload was, for as long as no other was taken
  std::string stayed_;   // why nobody took this one's place
  std::string told_;     // the last status
  bool stopping_ = false;
  base::UvHandle<uv_timer_t> timer_;
};

}  // namespace sluice
