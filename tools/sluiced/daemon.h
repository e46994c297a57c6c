#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <uv.h>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "config/base/mailbox.h"
#include "config/base/uv_handle.h"
#include "dns/answer/serving_publisher.h"
#include "dns/server/server.h"
#include "health/api/api.h"
#include "health/api/event_hub.h"
#include "health/authority.h"
#include "health/store/sqlite_store.h"
#include "tools/sluiced/blueprint.h"
#include "tools/sluiced/event_lines.h"
#include "tools/sluiced/sentry.h"

namespace sluice {

// The whole authority in one process, put together: the only place that sees every room. Its thread
// is the control thread (architecture.md section 4): it owns the authority and the publisher; the
// DNS workers, the API and the store have threads of their own and talk to it by `mailbox_`.
class Daemon {
 public:
  // Starts everything in the order in which it may be relied on: store, first generation, DNS, API.
  // The errors, if any, are ready to print; nothing runs then.
  static base::Result<std::unique_ptr<Daemon>, std::vector<base::Error>> start(
      const std::string& file);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Until SIGTERM or SIGINT. SIGHUP reloads.
  void run();

 private:
  using Errors = std::vector<base::Error>;
  // Called with no errors when the new configuration is in force, on the control thread.
  using Reloaded = std::function<void(Errors)>;

  Daemon();
  base::Result<base::Done, Errors> open_store(const std::string& file);
  void reserve(const health::StoredState& stored);
  base::Result<base::Done, Errors> start_dns();
  base::Result<base::Done, Errors> start_api();
  health::ResponderView responder() const;
  void warn_of_agents(const health::HttpLimits& limits) const;
  void start_authority(health::StoredState stored);
  void tell(const health::Event& event);
  void record(health::Event event);
  void prune_audit();
  void watch_signals();
  void watch_threads();
  std::string served() const;  // in a line
  void on_progress();
  void tick();
  void arm_timer();
  void stop();
  void reload(const health::Actor& by, Reloaded done);
  void take_over(base::Result<Blueprint, Errors> read, const health::Actor& by,
                 const Reloaded& done);
  Errors put_in_place(Blueprint next);
  void end_reload(const Errors& errors, const health::Actor& by, const Reloaded& done);
  void keep_serial_bases(const dns::ZoneSet& zones);
  std::vector<health::Change> new_serial_bases(const dns::ZoneSet& zones) const;

  std::size_t open_files_;  // that the process may have
  base::SystemClock clock_;
  dns::SipKey cookie_secret_;  // of this run, where none is configured
  uv_loop_t loop_{};
  std::unique_ptr<base::Mailbox> mailbox_;
  Blueprint blueprint_;
  dns::SerialBases serial_bases_;  // as stored
  std::unique_ptr<health::SqliteStore> store_;
  std::unique_ptr<dns::ServingPublisher> publisher_;
  std::unique_ptr<health::Authority> authority_;
  std::unique_ptr<dns::Server> server_;
  std::unique_ptr<health::Api> api_;
  EventLines lines_;
  health::EventHub hub_;
  base::UvHandle<uv_timer_t> timer_;     // the authority's next deadline
  base::UvHandle<uv_timer_t> pruning_;   // of the audit
  base::UvHandle<uv_timer_t> patience_;  // of a stop
  std::vector<base::UvHandle<uv_signal_t>> signals_;
  std::unique_ptr<Sentry> sentry_;
  bool reloading_ = false;
  bool replaced_ = false;  // by a reload, and workers may still answer by the configuration before
  std::deque<std::pair<health::Actor, Reloaded>> waiting_reloads_;  // while one is under way
  bool stopping_ = false;
};

}  // namespace sluice
