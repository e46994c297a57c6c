#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/base/clock.h"
#include "config/model.h"
#include "health/event.h"
#include "health/heartbeat.h"
#include "health/histogram.h"
#include "health/refusal.h"
#include "health/schedule.h"
#include "health/snapshot.h"
#include "health/store.h"
#include "health/topology.h"
#include "health/view.h"

namespace sluice::health {

struct DrainRequest {
  std::string server;                  // FQDN
  std::optional<std::string> service;  // absent: the whole server
  std::string reason;
  std::optional<config::Startup> startup;  // absent: each service's default
  bool hide_host = false;
  bool force = false;  // override the floor
  // A moment of the wall clock, or so long from now: that counts down on the monotonic clock.
  using When = std::variant<base::WallTime, base::Duration>;
  std::optional<When> expires;  // of the hold; a duration counts from when it is placed
  Then then = Then::Lift;
};

// The same, planned.
struct PlanRequest {
  DrainRequest drain;
  DrainRequest::When at;
};

// Success: the promise of semantics.md section 5 holds.
struct DrainReply {
  std::uint64_t generation = 0;
  std::vector<std::string> confirmed_by;
  std::vector<std::string> unconfirmed;
  std::optional<base::WallTime> cache_horizon;  // absent: nothing that was drained was ever named
  std::vector<std::string> warnings;
};

struct ResumeReply {
  std::uint64_t generation = 0;
  std::vector<std::string> warnings;
};

// What an agent is told in return, for each service that it pushed.
struct ServiceOrder {
  bool held = false;  // confirmed: true only once the promise holds
  // A hold covers the service, though not all that cover it are confirmed: not held, not free.
  bool pending = false;
  std::string reason;
  bool lift = false;             // lift the host's own hold
  base::Boxed<Refusal> refused;  // the host's pause: drop it
};
struct HeartbeatReply {
  std::uint64_t generation = 0;
  base::Duration lease{0};
  base::FlatMap<std::string, ServiceOrder> services;
};

// The one writer: decides who is in each answer and says so to the publisher and the store
// (architecture.md section 3). Every member function runs on the control thread; the callbacks are
// called there, some before the call that was given them returns.
class Authority {
 public:
  struct Settings {
    config::Health health;
    std::string responder;  // this responder's name in confirmed_by
  };
  using Events = std::function<void(const Event&)>;

  // Generations are reserved on disk so many at a time, ahead of their use, so that they grow
  // across restarts without a write for each. Whoever constructs an Authority has seen to it that
  // stored.generation + kGenerationBlock is reserved.
  static constexpr std::uint64_t kGenerationBlock = 1024;

  template <class T>
  using Reply = std::function<void(Outcome<T>)>;

  // Publishes the first generation before it returns: holds are in force from the first packet.
  Authority(std::shared_ptr<const Topology> topology, Settings settings, const base::Clock& clock,
            Publisher& publisher, Store& store, StoredState stored, Events events);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // Replies when no answer sent from then on names what was drained AND the hold is durable;
  // asking for a hold that stands replies likewise. Refusals: NotFound, BadInput (member
  // "service"), Rule (floor, consolidated), StoreFailed.
  void drain(const DrainRequest& request, const Actor& actor, Reply<DrainReply> done);

  // Plans a drain: replies when the plan is durable and every answer that names the server has a
  // TTL that ends in time. Refusals: as of drain() but for the floor, which is asked when the time
  // has come; BadInput (members "at", "expires": past).
  void plan(const PlanRequest& request, const Actor& actor, Reply<ScheduleView> done);
  // Forgets a planned drain, or lets a hold stand for good. Replies with what it was, when that is
  // durable. Refusals: NotFound, StoreFailed.
  void cancel(ScheduleId id, const Actor& actor, Reply<ScheduleView> done);

  // Lifts every hold of exactly this scope; the erasure is durable before the answers change.
  // A hold of the host's is lifted by its agent: replies when that has said so, or NoAnswer.
  void resume(const std::string& server, const std::optional<std::string>& service,
              const Actor& actor, Reply<ResumeReply> done);

  // Semantics.md section 3, rule 3. `health` is Up, Down or empty (unforce).
  void force(const std::string& server, const std::optional<std::string>& service,
             std::optional<Health> health, const Actor& actor, Reply<ResumeReply> done);

  // Refusals: NotFound, BadInput (an unknown service), Rule "seq".
  void heartbeat(const std::string& server, const Heartbeat& heartbeat, Reply<HeartbeatReply> done);

  // Every responder thread answers by this publication or a newer one.
  void on_served(std::uint64_t publication);

  // Leases, guards and waits that have run out. Call it at next_deadline(), or earlier.
  void tick();
  std::optional<base::MonoTime> next_deadline() const;

  // A reload, all at once: the same servers and services (by name) keep all that was known of them.
  void reconfigure(std::shared_ptr<const Topology> topology, const config::Health& health);

  // The newest.
  std::uint64_t generation() const noexcept;

  // Those of so many pools from number `first` on, as far as there are any.
  std::vector<PoolView> pools(PoolId first = 0, std::size_t count = SIZE_MAX) const;
  std::optional<PoolView> pool(std::string_view fqdn) const;
  std::optional<ServerView> server(std::string_view fqdn) const;
  Outcome<Verdict> verdict(std::string_view server,
                           const std::optional<std::string>& service) const;
  // By owner name in lower case; nothing when no answer set has it.
  std::optional<Explanation> explain(std::string_view owner) const;
  std::vector<OrphanView> orphans() const;
  // Planned drains and the ends of holds, by time.
  std::vector<ScheduleView> schedules() const;
  // Counts so many pools more into `figures`, for whom a whole site would keep the thread from
  // drains; one that is empty, or of another configuration, begins anew. True when it is whole.
  bool add_figures(Figures& figures, std::size_t pools = SIZE_MAX) const;
  const Histogram& drain_ack_seconds() const noexcept;
  // The configuration in force; any thread may keep it.
  std::shared_ptr<const Topology> topology() const noexcept;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice::health
