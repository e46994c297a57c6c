#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
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
#include "health/authority.h"
#include "health/store/sqlite_store.h"
#include "tools/sluiced/blueprint.h"
#include "tools/sluiced/cluster_seat.h"
#include "tools/sluiced/event_desk.h"
#include "tools/sluiced/listening.h"
#include "tools/sluiced/own_program.h"
#include "tools/sluiced/predecessor.h"
#include "tools/sluiced/resource_watch.h"
#include "tools/sluiced/sentry.h"
#include "tools/sluiced/serial_ledger.h"
#include "tools/sluiced/store_seat.h"
#include "tools/sluiced/successor.h"

namespace sluice {

// The whole authority in one process, put together: the only place that sees every room. Its thread
// is the control thread (architecture.md section 4): it owns the authority and the publisher; the
// DNS workers, the API and the store have threads of their own and talk to it by `mailbox_`.
class Daemon {
 public:
  // Starts everything in the order in which it may be relied on: sockets, store, first generation,
  // DNS, API. The errors, if any, are ready to print; nothing runs then.
  // In the place of a running process, if one started this one for that (predecessor.h): its
  // sockets and TCP sessions go on here. `program`: what SIGUSR2 starts.
  static base::Result<std::unique_ptr<Daemon>, std::vector<base::Error>> start(
      const std::string& file, OwnProgram program);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Until SIGTERM or SIGINT, or another process has taken the place of this one. SIGHUP reloads,
  // SIGUSR2 starts that other process. False: this one must be started anew.
  bool run();

 private:
  using Errors = std::vector<base::Error>;
  // Called with no errors when the new configuration is in force, on the control thread.
  using Reloaded = std::function<void(Errors)>;

  // Of a take-over by another process, as the one that runs sees it (daemon_upgrade.cc).
  enum class Upgrade : std::uint8_t {
    None,
    Preparing,   // it reads the configuration and gets the sockets; nothing here has changed
    Quiescing,   // the API answers what it has received, and takes nothing more
    Starting,    // it has the store and begins to answer; the DNS workers here answer, too
    Silent,      // nobody answers here any more; its word is the last one missing
    TakenOver,   // done
    TakingBack,  // it failed and is being ended
  };

  explicit Daemon(OwnProgram program);
  static base::UvHandle<uv_timer_t> make_timer(uv_loop_t& loop, void* owner);
  base::Result<base::Done, Errors> start(const std::string& file,
                                         std::optional<Predecessor>& predecessor);
  base::Checked<std::unique_ptr<health::SqliteStore>> open(const std::string& directory,
                                                           health::StoredState& stored);
  base::Result<base::Done, Errors> open_store(config::Config config);
  // Of several responders (daemon_cluster.cc).
  base::Checked<std::unique_ptr<ClusterSeat>> open_seat();
  base::Result<base::Done, Errors> open_cluster(config::Config config);
  void make_follower();
  void explain_stale();
  void join_cluster();
  void rejoin_cluster();
  void take_over_in_turn(std::shared_ptr<Blueprint> next, const health::Actor& by,
                         const Reloaded& done);
  void reserve(const health::StoredState& stored);
  base::Result<base::Done, Errors> start_dns();
  base::Result<base::Done, Errors> start_api();
  health::ResponderView responder() const;
  void forget(const std::string& name, const health::Actor& by,
              const health::Api::Ports::Forgotten& done);
  void warn_of_agents(const health::HttpLimits& limits) const;
  void start_authority(health::StoredState stored);
  void make_authority(health::StoredState stored);
  void take_place(Predecessor& predecessor, std::vector<dns::SuspendedSession> sessions);
  void upgrade();
  void hear(const HandoverMessage& message);
  void quiesce_api();
  void hand_over_store();
  void fall_silent();
  void leave(const HandoverMessage& message);
  void take_back(const std::string& why);
  void take_back_store();
  void answer_again(health::StoredState stored);
  void resume_api();
  void start_anew(const Errors& why);
  void end_upgrade();
  void note_failure(std::string text);
  void tell_upgrade(const std::string& text);
  // Whether time may pass for the authority: it must not while its store is away.
  bool decides() const noexcept {
    return upgrade_ == Upgrade::None || upgrade_ == Upgrade::Preparing ||
           upgrade_ == Upgrade::Quiescing;
  }
  void watch_signals();
  void watch_threads();
  void make_resource_watch();
  void shed(Shedding shedding);
  std::string served() const;  // in a line
  void on_progress();
  void tick();
  void arm_timer();
  void stop();
  void finish();
  void take_leave();
  void reload(const health::Actor& by, Reloaded done);
  void take_over(base::Result<Blueprint, Errors> read, const health::Actor& by,
                 const Reloaded& done);
  Errors put_in_place(Blueprint next);
  void end_reload(const Errors& errors, const health::Actor& by, const Reloaded& done);

  std::size_t open_files_;  // that the process may have
  base::SystemClock clock_;
  dns::SipKey cookie_secret_;  // of this run, where none is configured
  uv_loop_t loop_{};
  std::unique_ptr<base::Mailbox> mailbox_;
  Listening listening_;
  Blueprint blueprint_;
  SerialLedger serials_;
  StoreSeat store_;
  std::unique_ptr<ClusterSeat> cluster_;  // null: it is alone
  std::unique_ptr<EventDesk> events_;
  std::unique_ptr<dns::ServingPublisher> publisher_;
  std::unique_ptr<health::Authority> authority_;
  std::unique_ptr<dns::Server> server_;
  std::unique_ptr<health::Api> api_;
  base::UvHandle<uv_timer_t> timer_;      // the authority's next deadline
  base::UvHandle<uv_timer_t> patience_;   // of a stop, or with the API before a take-over
  base::UvHandle<uv_timer_t> reopening_;  // of a store that could not be taken back at once
  std::vector<base::UvHandle<uv_signal_t>> signals_;
  std::unique_ptr<Sentry> sentry_;
  std::unique_ptr<ResourceWatch> resources_;
  bool reloading_ = false;
  bool replaced_ = false;  // by a reload, and workers may still answer by the configuration before
  std::deque<std::pair<health::Actor, Reloaded>> waiting_reloads_;  // while one is under way
  OwnProgram program_;
  std::unique_ptr<Successor> successor_;
  Upgrade upgrade_ = Upgrade::None;
  // Of the workers that stopped, until it is told that they are its own.
  std::vector<dns::SuspendedSession> sessions_;
  bool upgrade_waits_ = false;         // for the end of a reload
  bool reload_for_successor_ = false;  // was asked for when it may have read its file
  std::string failure_;                // of the last take-over, until it is recorded
  std::atomic<std::uint64_t> failed_take_overs_{0};
  bool start_anew_ = false;  // nobody is left who answers
  bool stopping_ = false;
};

}  // namespace sluice
