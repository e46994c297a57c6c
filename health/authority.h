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
#include "health/shared.h"
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
  // For this responder alone while the cluster's store can't be reached: the hold is `local` and no
  // other responder has it yet.
  bool local_force = false;
};

// The same, planned.
struct PlanRequest {
  DrainRequest drain;
  DrainRequest::When at;
};

// Success: the promise of semantics.md section 5 holds for those who confirmed.
struct DrainReply {
  std::uint64_t generation = 0;
  std::vector<std::string> confirmed_by;  // responders
  std::vector<std::string> unconfirmed;   // not alive, or not in time: they may answer as before
  std::optional<base::WallTime> cache_horizon;  // absent: nothing that was drained was ever named
  std::vector<std::string> warnings;
};

struct ResumeReply {
  std::uint64_t generation = 0;
  std::vector<std::string> warnings;
  // As in DrainReply; both empty without a cluster.
  std::vector<std::string> confirmed_by;
  std::vector<std::string> unconfirmed;
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
  // This responder is cut off from its cluster and can tell nobody what the agent pushes: one that
  // can does better.
  bool stale = false;
  base::FlatMap<std::string, ServiceOrder> services;
};

// One of those who answer by this authority's state, for acknowledgements.
struct Confirmation {
  std::string responder;
  std::uint64_t publication = 0;  // none of its answers is of an older one, nor will be
  bool alive = true;              // one that is not is not waited for, and not confirmed either
};

// The other responders of a cluster, as the authority of one needs them (health/cluster). Control
// thread only.
class Cluster {
 public:
  // What one responder at a time may do.
  struct Order {
    // It may now, under this number; once more, from the beginning, should what it did have come to
    // nothing because another responder took the turn.
    std::function<void(std::uint64_t)> act;
    std::function<void(const Refusal&)> refuse;  // not to be done: why
    bool alone = false;  // for this responder alone, if the others can't be reached
  };

  virtual ~Cluster() = default;

  // Calls one of the two, perhaps before it returns.
  virtual void order(Order order) = 0;
  // It is done: calls `reply` once it is certain that this responder had the turn, which only the
  // store that all share can say.
  virtual void settled(std::uint64_t order, std::function<void()> reply) = 0;
  // Tells the others what an agent said that pushes to this responder.
  virtual void share(AgentReport report) = 0;
  // The others can't be reached: what this responder knows may be old.
  virtual bool is_stale() const = 0;
  // How far that responder's wall clock is ahead of this one's, as far as it is known.
  virtual base::Duration clock_offset(const std::string& responder) const = 0;
};

// The one writer: decides who is in each answer and says so to the publisher and the store
// (architecture.md section 3). Every member function runs on the control thread; the callbacks are
// called there, some before the call that was given them returns.
class Authority {
 public:
  struct Settings {
    config::Health health;
    std::string responder;  // this responder's name in confirmed_by
    // Null: nobody else. Otherwise follow() must be called before anything else.
    Cluster* cluster = nullptr;
    base::Duration confirm_timeout{0};  // of those who are alive; 0: for as long as it takes
  };
  using Events = std::function<void(const Event&)>;

  // Generations are reserved on disk so many at a time, ahead of their use, so that they grow
  // across restarts without a write for each. Whoever constructs an Authority has seen to it that
  // stored.generation + kGenerationBlock is reserved.
  static constexpr std::uint64_t kGenerationBlock = 1024;

  template <class T>
  using Reply = std::function<void(Outcome<T>)>;

  // Publishes the first generation before it returns (in a cluster: with follow()): holds are in
  // force from the first packet.
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

  // --- one of several responders
  //
  // One at a time decides, the others follow: they hold and answer what it decided, and take orders
  // only once they decide themselves.

  // Everything anew, by what is shared: a start, or what this responder did came to nothing. What
  // waits for replies is dropped.
  void follow(const SharedState& whole);
  // What another responder decided.
  void follow(const SharedEdition& edition);
  // From now on this responder decides, or no more.
  void take_turn(bool on);
  // While it decides: every zone gets a new serial.
  void renew();
  // One order is carried out here though this responder is cut off: it holds, and changes no answer
  // but for what it holds. adopt_local() tells the others once they can be reached.
  void act_alone(bool on);
  // What it decided beyond this came to nothing.
  void answers_are(std::shared_ptr<const MembershipSnapshot> snapshot);
  // Whether there are holds that this responder alone has.
  bool holds_alone() const;
  // While it decides: they become everybody's.
  void adopt_local();
  // The highest generation that was answered by this responder alone; 0: none was.
  std::uint64_t generation_alone() const noexcept;
  // What another responder's agent said. `vouched`: that responder is alive.
  void hear(const AgentReport& report, bool vouched);
  // All that was heard at one time is known: judges the leases that ended with it.
  void judge_heard();
  // This run of a responder is over, and its agents have a lease to show up elsewhere.
  void orphan(const std::string& responder, const std::string& run);
  // Shares once more what the agents said that push here.
  void share_all();
  // Who must have served a publication before it counts: all that is known of all.
  void confirm(std::vector<Confirmation> all);
  // What others need to follow.
  SharedPool shared_pool(PoolId pool) const;
  SharedHost shared_host(ServerId server) const;
  std::uint64_t renewed() const noexcept;
  // Pools that nobody has decided yet; it is this responder's to do.
  bool undecided() const noexcept;
  std::uint64_t publication() const noexcept;

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

  template <class T>
  void in_turn(std::function<void(Reply<T>)> act, Reply<T> done, bool alone = false);

  std::unique_ptr<State> state_;
};

}  // namespace sluice::health
