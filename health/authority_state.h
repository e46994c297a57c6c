#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/base/rare.h"
#include "health/authority.h"
#include "health/floor.h"
#include "health/hold_set.h"
#include "health/horizon.h"
#include "health/lease.h"
#include "health/membership.h"
#include "health/refusal_log.h"
#include "health/service_state.h"
#include "health/shared.h"
#include "health/verdict.h"

// The inside of Authority, for its own sources only, one for each part: authority.cc is its door,
// authority_start.cc what a start knows from before, authority_publish.cc, authority_slow_start.cc
// and authority_caps.cc what is answered, authority_time.cc what time does, authority_orders.cc
// what operators order, authority_holds.cc holds and their way to disk, authority_schedules.cc what
// is planned, authority_heartbeat.cc what agents say, authority_reload.cc a new configuration,
// authority_events.cc what is told, authority_explain.cc, authority_views.cc and
// authority_figures.cc what is shown. Of several responders, each a class
// of its own: authority_following.h what others decided, and the turn, authority_reports.h what
// they tell each other of agents, authority_alone.h what is held while nobody can be reached.
namespace sluice::health {

class Authority::State {
 public:
  State(std::shared_ptr<const Topology> topology, Settings settings, const base::Clock& clock,
        Publisher& publisher, Store& store, StoredState stored, Events events);

  // As in Authority.
  void drain(const DrainRequest& request, const Actor& actor, Reply<DrainReply> done);
  void resume(const std::string& server, const std::optional<std::string>& service,
              const Actor& actor, Reply<ResumeReply> done);
  void plan(const PlanRequest& request, const Actor& actor, Reply<ScheduleView> done);
  void cancel(ScheduleId id, const Actor& actor, Reply<ScheduleView> done);
  void force(const std::string& server, const std::optional<std::string>& service,
             std::optional<Health> health, const Actor& actor, Reply<ResumeReply> done);
  // `again`: the same heartbeat, whose first attempt came to nothing.
  void heartbeat(const std::string& server, const Heartbeat& heartbeat, Reply<HeartbeatReply> done,
                 bool again = false);
  void answers_are(std::shared_ptr<const MembershipSnapshot> snapshot) {
    membership_ = std::move(snapshot);
  }
  void confirm(std::vector<Confirmation> all);
  void renew() { publish({}, Renewal::All); }
  bool holds_alone() const noexcept { return holds_.local() > 0; }
  std::uint64_t renewed() const noexcept { return membership_->renewed; }
  std::uint64_t publication() const noexcept { return publication_; }
  Cluster* cluster() const noexcept { return settings_.cluster; }
  const std::string& responder() const noexcept { return settings_.responder; }
  // Its parts as one of several responders.
  class Following;
  class Reports;
  class Alone;
  Following& following() noexcept { return *following_; }
  Reports& reports() noexcept { return *reports_; }
  Alone& alone() noexcept { return *alone_; }
  void tick();
  std::optional<base::MonoTime> next_deadline() const;
  void reconfigure(std::shared_ptr<const Topology> topology, const config::Health& health);
  std::uint64_t generation() const noexcept { return membership_->generation; }

  std::vector<PoolView> pools(PoolId first, std::size_t count) const;
  std::optional<PoolView> pool(std::string_view fqdn) const;
  std::optional<ServerView> server(std::string_view fqdn) const;
  Outcome<Verdict> verdict(std::string_view server,
                           const std::optional<std::string>& service) const;
  std::optional<Explanation> explain(std::string_view owner) const;
  std::vector<OrphanView> orphans() const;
  std::vector<ScheduleView> schedules() const;
  bool add_figures(Figures& figures, std::size_t pools) const;
  const Histogram& drain_ack_seconds() const noexcept { return drain_ack_seconds_; }
  std::shared_ptr<const Topology> topology() const noexcept { return topology_; }

 private:
  // One service on one server. There may be a million of them, most of which nobody ever speaks of:
  // what only some have takes room when it comes.
  struct Slot {
    Naming naming;
    base::Rare<ServiceState> service;
  };
  // What a server's agent has said.
  struct Agent {
    Lease lease;
    bool heard = false;  // pushed since the authority's start
    std::string boot;
    std::uint64_t seq = 0;
    std::vector<std::string> past_boots;       // followed by another, newest last
    base::MonoTime watched;                    // its entry of deadlines_ that counts
    base::WallTime silent_since;               // while its lease is not current
    bool unsettled = false;                    // it said what has had no effect yet
    base::MonoTime spent_until;                // of its share of changes
    std::optional<base::MonoTime> settles_at;  // its entry of settling_
    // The responder that it pushes to, by its place in vouchers_, while that is another one and is
    // alive: then that one judges the lease. 0: none.
    std::uint32_t voucher = 0;
    bool pushes_here = false;
    bool silent = false;  // that responder has heard nothing of it for two heartbeats
  };
  struct Server {
    Naming host;  // the host record
    base::Rare<Agent> agent;
    bool host_hidden = false;
  };
  // All servers, and their slots one after another (TopologyServer::first_slot).
  struct Servers {
    std::vector<Server> all;
    std::vector<Slot> slots;
  };
  struct Pool {
    bool grace = true;
    std::size_t unheard = 0;
  };
  // A place in servers_; no slot: the server's host record.
  struct Named {
    ServerId server = 0;
    std::optional<std::size_t> slot;
  };
  // A period that a publication ended, until every worker serves that publication.
  struct Leaving {
    std::uint64_t publication = 0;
    Named who;
    std::chrono::seconds ttl{0};
    base::MonoTime cap;  // the TTLs ended then
  };
  struct Target {
    ServerId server = 0;
    std::optional<std::size_t> slot;  // absent: the whole server
  };
  // A period that a reload ends: until then `who` was named with this TTL.
  struct Period {
    Named who;
    std::chrono::seconds ttl{0};
    base::MonoTime cap = Members::kNoEnd;
  };
  // What a publication changes.
  struct Edition {
    std::vector<std::pair<ServicePoolId, std::shared_ptr<const Members>>> service_pools;
    std::vector<ServerId> hosts;  // whose records come or go

    bool empty() const noexcept { return service_pools.empty() && hosts.empty(); }
  };
  // A resume that waits for the host's agent to lift its own hold.
  struct LiftWait {
    std::string server;
    std::vector<std::string> services;
    base::MonoTime deadline;
    std::function<void(bool lifted)> finish;
  };
  struct Deadline {
    base::MonoTime at;
    ServerId server = 0;
    friend bool operator<(const Deadline& a, const Deadline& b) { return a.at > b.at; }
  };

  // A planned drain, and by when caches must have forgotten its server.
  struct Plan {
    PlannedDrain drain;
    base::MonoTime not_after;
    bool counts_down = false;  // its time was said as a duration: the wall clock moves nothing
    bool cancelling = false;   // its erasure is on the way to disk
  };
  // When a hold ends: by the wall clock, or (said as a duration, in this run) in so long.
  struct Timer {
    base::WallTime at;
    std::optional<base::MonoTime> ends;

    std::string clock;  // as Expiry has it
  };
  // What the configuration no longer has, for when it returns.
  struct Absent {
    ServiceState service;
    base::MonoTime horizon;
  };
  using Done = std::function<void(const Store::Stored&)>;
  // Somebody who waits until a publication is served.
  struct ServedWait {
    std::uint64_t publication = 0;
    base::MonoTime deadline;
    std::function<void()> then;
  };

  // When the services of servers came back, by server and slot, while their weight grows.
  using Returns = std::map<std::pair<ServerId, std::size_t>, base::MonoTime>;
  // When a weight grows next. One whose server left meanwhile no longer counts.
  struct Step {
    base::MonoTime at;
    base::MonoTime returned;
    ServerId server = 0;
    std::size_t slot = 0;
    friend bool operator<(const Step& a, const Step& b) { return a.at > b.at; }
  };

  // --- membership and publication (authority_publish.cc)
  Standing standing(ServerId server, std::size_t slot) const;
  Decision decide_pool(ServicePoolId id) const;
  std::shared_ptr<Members> members_of(ServicePoolId id, const Decision& decision,
                                      std::uint64_t generation) const;
  // Decides anew for these; an edition has what came out differently. Duplicates are welcome.
  // `anew`: of these in any case.
  Edition compose(std::vector<ServicePoolId> dirty, const std::set<ServicePoolId>& anew = {});
  // Whether it brings every zone a new serial, or those alone that it changes.
  enum class Renewal : std::uint8_t { Changed, All };
  void publish(const Edition& edition, Renewal renewal = Renewal::Changed);
  void put_in_answers(const Edition& edition, std::shared_ptr<MembershipSnapshot> next);
  static void note_change(MembershipSnapshot& snapshot, ServerId server, std::uint64_t generation);
  void republish(std::vector<ServicePoolId> dirty);
  void republish_server(ServerId server);
  // A new generation of everything, by a new topology.
  void publish_all();
  void note_names(ServicePoolId changed, const Members& members, base::MonoTime cap);
  void note_host(ServerId server, const MembershipSnapshot& before);
  void note_caps(ServicePoolId changed, const MembershipSnapshot& before);
  void note_host_caps(const MembershipSnapshot& before);
  base::MonoTime cap_before(ServicePoolId id, const MembershipSnapshot& before) const;
  std::chrono::seconds ttl_before(ServerId server) const;
  void start_leaving(Named who, std::chrono::seconds ttl, base::MonoTime cap);
  void tell_generation(const Edition& edition);
  Naming& naming(const Named& who);
  // Calls it when everybody serves the newest publication, or all do who are alive and the rest
  // can't be waited for.
  void after_served(std::function<void()> then) { after_served(publication_, std::move(then)); }
  // Of an order: by what it published, not by what others published until it is stored.
  void after_served(std::uint64_t publication, std::function<void()> then);
  void note_served(std::uint64_t publication);
  void end_served_waits(base::MonoTime now);
  // Who has served this publication, and who has not.
  std::vector<std::string> others() const;
  void name_responders(std::uint64_t publication, std::vector<std::string>& confirmed,
                       std::vector<std::string>& unconfirmed) const;
  void reserve_generations();
  std::vector<ServicePoolId> service_pools_of(PoolId pool) const;

  // --- time (authority_time.cc)
  void end_lease(ServerId server, const base::Now& now);
  void watch(ServerId server, base::MonoTime deadline);
  void ripen(const base::Now& now);
  void end_leases(const base::Now& now);
  void end_lift_waits(const base::Now& now);
  base::MonoTime grace_started() const;
  // True when the grace of the pool ended just now: its members are to be decided anew.
  bool end_grace(PoolId pool, const base::Now& now);
  void end_graces(const base::Now& now);
  void plan_grace_round(const base::Now& now);
  base::MonoTime lease_end(const Lease& lease) const;
  // Nobody woke it for longer than its deadlines allow.
  bool stood_still(const base::Now& now) const;
  // When what a push says was true at the earliest: it comes now, but who stood still finds what
  // was sent meanwhile.
  base::MonoTime counted(const base::Now& now) const;

  // --- slow start (authority_slow_start.cc)
  unsigned tenths(ServerId server, std::size_t slot, base::MonoTime now) const;
  void add_slow_starts(ServicePoolId id, Members& members, bool all_new) const;
  void begin_slow_start(ServerId server, std::size_t slot);
  std::optional<base::MonoTime> next_step() const;
  void step_weights(const base::Now& now);
  void adjust(std::vector<ServicePoolId> dirty);
  static std::shared_ptr<Members> without_weights(const Members& members);
  void take_over_returns(ServerId server, const Returns& old, const Topology& before, ServerId was);
  void resume_slow_starts(base::MonoTime now);

  // --- orders (authority_orders.cc)
  Outcome<Target> resolve(const std::string& server,
                          const std::optional<std::string>& service) const;
  std::vector<std::size_t> slots_of(const Target& target) const;
  std::optional<FloorCheck> broken_floor(const Target& target) const;
  // Answer sets that have fewer accepting members than their floor says.
  std::vector<FloorCheck> below_floor(const Target& target) const;
  HoldKey key_of(const Target& target, Origin origin) const;
  // `ordered`: the publication that everybody must serve.
  DrainReply drain_reply(const DrainRequest& request, std::uint64_t ordered,
                         std::vector<std::string> warnings) const;
  std::vector<std::string> drain_warnings(const Target& target, const DrainRequest& request,
                                          bool stood) const;
  // What an order has left of the answer sets that it touched.
  std::vector<std::string> shortage_warnings(const Target& target, bool forced) const;
  void ask_host(const std::string& server, const std::optional<std::string>& service, bool lifted,
                std::uint64_t ordered, Reply<ResumeReply> done);
  void reply_resumed(const std::string& server, const std::optional<std::string>& service,
                     bool lifted, std::uint64_t ordered, const Reply<ResumeReply>& done) const;
  std::vector<std::string> resume_warnings(const Target& target, bool lifted) const;

  // --- holds (authority_holds.cc)
  Hold make_hold(const Target& target, Origin origin) const;
  void place(Hold hold);
  void lift(const HoldKey& key);
  void note_hold(const HoldKey& key);
  void commit_hold(const HoldKey& key, Done done, std::vector<Change> more = {});
  void note_durable(const HoldKey& key, std::uint64_t placement);
  void persist(const Hold& hold);
  void erase_from_store(const HoldKey& key);
  void write_what_waits();
  void lift_in_order(std::vector<HoldKey> keys, EventType why, const Actor& actor,
                     std::function<void(Outcome<ResumeReply>)> then);
  void finish_lifting(const std::vector<HoldKey>& keys, std::uint64_t order,
                      const Store::Stored& stored);

  // --- schedules (authority_schedules.cc)
  static base::WallTime wall_of(const DrainRequest::When& when, base::WallTime from);
  Outcome<std::optional<base::WallTime>> end_of(const DrainRequest& request,
                                                base::WallTime from) const;
  void finish_plan(ScheduleId id, const std::string& failure, const Reply<ScheduleView>& done);
  std::vector<std::string> plan_warnings(const PlannedDrain& drain) const;
  void run_schedules(const base::Now& now);
  base::MonoTime leaves(const Plan& plan) const;
  std::optional<base::MonoTime> next_schedule(const base::Now& now) const;
  void follow_wall_clock(const base::Now& now);
  void begin_planned(ScheduleId id);
  Hold hold_of(const PlannedDrain& drain, const std::optional<Target>& target);
  void index_expiry(const HoldKey& key);
  base::MonoTime end_of(const Timer& timer, const base::Now& now) const;
  // A moment of that responder's wall clock by this one's.
  base::WallTime here(base::WallTime at, const std::string& clock) const;
  base::MonoTime caches_end(const PlannedDrain& drain, const base::Now& now) const;
  const std::string& own_clock() const;
  void end_hold(const HoldKey& key, const base::Now& now);
  void cancel_plan(Plan& plan, const Actor& actor, Reply<ScheduleView> done);
  void cancel_expiry(const HoldKey& key, const Actor& actor, const Reply<ScheduleView>& done);
  void restore_schedules(const StoredState& stored, const base::Now& now);
  ScheduleView view_of(const Plan& plan) const;
  ScheduleView view_of(const Hold& hold) const;
  std::vector<ScheduleView> schedules_of(std::string_view server) const;

  // --- TTLs that end in time (authority_caps.cc)
  void index_caps();
  // When the TTLs of these members end; kNoEnd: as configured.
  base::MonoTime cap_of(ServicePoolId id, const std::vector<ServerId>& members) const;
  // The same of a server's host record, by those that leave (ascending).
  static base::MonoTime cap_of(const std::vector<LeavingHost>& hosts, ServerId server);
  void recap();
  void restore_caps(const std::vector<PlannedDrain>& plans,
                    const std::vector<const PutPoolTtl*>& known, const base::Now& now);

  // --- what is told (authority_events.cc)
  Event event_of(EventType type, std::string_view server, std::string_view service,
                 const Actor& actor, std::string text) const;
  void say(EventType type, std::string_view server, std::string_view service, const Actor& actor,
           std::string text);
  void tell(Event event);
  void tell_refusal(std::string_view server, std::string_view service, const Actor& actor,
                    const Refusal& refusal);
  void tell_statuses(ServerId server, const base::Now& now);
  bool statuses_differ(ServerId server, const base::Now& now) const;
  void commit(std::vector<Change> changes, Store::Urgency urgency, Done done = nullptr);
  void flush_audit();
  void note_store(const Store::Stored& stored, const std::vector<Change>& audit);

  // --- heartbeats (authority_heartbeat.cc)
  // The slot of each service that was pushed, in the order of the heartbeat.
  Outcome<std::vector<std::size_t>> slots_of(ServerId server, const Heartbeat& heartbeat) const;
  std::optional<Refusal> stale(ServerId server, const Heartbeat& heartbeat, bool again) const;
  static void note_past_boot(Agent& agent);
  // True when the lease was not current before.
  bool renew(ServerId server, const Heartbeat& heartbeat, const base::Now& now);
  void apply_report(ServerId server, std::size_t slot, const ServiceReport& report,
                    const base::Now& now);
  void settle(ServerId server, const base::Now& now);
  void settle_in_time(ServerId server, const base::Now& now);
  void settle_due(const base::Now& now);
  bool apply_instance(ServerId server, std::size_t slot);
  void release(const HoldKey& key, ServerId server, std::size_t slot);
  // What the host's own hold means here; the key of a hold that was placed for it, if one was.
  Outcome<std::optional<HoldKey>> apply_pause(ServerId server, std::size_t slot,
                                              const std::optional<HostPause>& paused);
  void finish_lifts(ServerId server);
  bool acknowledged(ServerId server, std::size_t slot) const;
  HeartbeatReply heartbeat_reply(const std::string& server, const Heartbeat& heartbeat,
                                 const std::map<std::string, Refusal, std::less<>>& refused) const;

  // --- a reload (authority_reload.cc)
  void take_over(ServerId id, Servers& old, const Topology& before, ServerId was);
  void note_periods(ServerId id, std::chrono::seconds old_ttl, std::vector<Period>& periods) const;
  void note_ttls(const Topology& before, const base::Now& now);
  void keep_until(ServerId id, base::MonoTime horizon);
  void note_published_caps(const Topology& before);
  void note_leaving(const Topology& before, std::vector<Period>& periods);
  void remember_absent(const Servers& old, const Topology& before, const base::Now& now);
  void adopt_absent(ServerId id);
  void regrace(const Topology& before);

  // --- views (authority_views.cc)
  ServerView server_view(ServerId server, const base::Now& now) const;
  ServiceView service_view(ServerId server, std::size_t slot, const base::Now& now) const;
  PoolView pool_view(PoolId pool, const base::Now& now) const;
  VerdictInput verdict_input(ServerId server, std::size_t slot, const base::Now& now) const;
  Verdict verdict_of_slots(ServerId server, std::span<const std::size_t> slots,
                           const base::Now& now) const;
  Status status(ServerId server, std::size_t slot, const base::Now& now) const;
  HoldView hold_view(const Hold& hold, config::Startup service_default) const;
  ExplainedMember explain_member(ServerId server, std::size_t slot, Rule rule,
                                 const Members& members) const;
  std::string leaves_text(ServerId server, ServiceId service) const;
  void add_service_figures(ServicePoolId id, const base::Now& now, Figures& figures) const;
  void add_hold_figures(const base::Now& now, Figures& figures) const;
  bool guard_active(PoolId pool) const;
  // What was pushed is not older than a lease. A lease that nobody could judge (the authority stood
  // still) is current for longer than that.
  // The lease of one that pushes to another responder is that one's to judge.
  bool fresh(ServerId server, const base::Now& now) const {
    const Agent& agent = *at(server).agent;
    return agent.lease.current &&
           (agent.voucher != 0 || now.mono <= *agent.lease.last_push + settings_.health.lease);
  }

  // Whether what its agent said last was true when the last cache had forgotten it: a zero from
  // before says nothing of who came since.
  bool counted_since_horizon(ServerId server, std::size_t slot) const {
    return at(server, slot).service->counted >= horizon(server, slot);
  }

  // --- shared by all
  std::string_view name(ServerId server) const { return topology_->servers()[server].fqdn; }
  const Server& at(ServerId server) const { return servers_.all[server]; }
  Server& at(ServerId server) { return servers_.all[server]; }
  const Slot& at(ServerId server, std::size_t slot) const {
    return servers_.slots[topology_->servers()[server].first_slot + slot];
  }
  Slot& at(ServerId server, std::size_t slot) {
    return servers_.slots[topology_->servers()[server].first_slot + slot];
  }
  std::size_t slot_count(ServerId server) const {
    return topology_->servers()[server].services.size();
  }
  const std::string& service_name(ServerId server, std::size_t slot) const {
    return topology_->services()[topology_->servers()[server].services[slot].service].name;
  }
  config::Startup startup(ServerId server, std::size_t slot) const {
    return topology_->servers()[server].services[slot].startup;
  }
  std::chrono::seconds ttl(ServerId server) const {
    return topology_->pools()[topology_->servers()[server].pool].ttl;
  }
  base::Duration slow_start(ServerId server) const {
    return topology_->pools()[topology_->servers()[server].pool].slow_start;
  }
  // When caches forget the service, its host record included where that was hidden.
  base::MonoTime horizon(ServerId server, std::size_t slot) const;
  bool out_of_answers(ServerId server, std::size_t slot) const;
  bool held(ServerId server, std::size_t slot) const {
    return holds_.held(name(server), service_name(server, slot));
  }

  // The state of a service on a server, or what is kept for when the configuration has it.
  ServiceState& service_of(const std::string& server, const std::string& service);

  // --- a start (authority_start.cc)
  // All that is known of a server nobody has spoken of yet.
  void add_fresh(ServerId server, const base::Now& now);
  void restore(const StoredState& stored, const base::Now& now);
  void restore_force(const PutForce& force);
  void restore_ttls(const StoredState& stored, const base::Now& now);
  void restore_horizons(ServerId server, const base::Now& now);

  std::shared_ptr<const Topology> topology_;
  Settings settings_;
  const base::Clock& clock_;
  Publisher& publisher_;
  Store& store_;
  Events events_;

  HoldSet holds_;
  Servers servers_;
  std::vector<Pool> pools_;          // by PoolId
  std::vector<unsigned> accepting_;  // by ServicePoolId: in by rules 2 to 5, as decided last
  std::map<std::pair<std::string, std::string>, Absent> absent_;  // by server and service

  std::shared_ptr<const MembershipSnapshot> membership_;
  std::uint64_t reserved_ = 0;           // generations on disk as used
  std::uint64_t publication_ = 0;        // the newest
  std::uint64_t served_ = 0;             // that everybody has reached
  std::deque<Leaving> leaving_;          // by publication, ascending
  std::deque<ServedWait> served_waits_;  // ascending
  std::vector<Confirmation> confirmations_;
  std::uint64_t living_ = 0;  // that everybody who is alive has reached

  // Holds in force that are not on disk yet, with the number of their placement.
  std::map<HoldKey, std::uint64_t> not_durable_;
  // Schedules whose time came while the store failed, with what they were to hold: on disk they are
  // still to come.
  std::map<ScheduleId, HoldKey> not_erased_;
  // Holds whose erasure is on its way to disk: still in force, gone when it is there.
  std::map<HoldKey, std::uint64_t> lifting_;
  std::uint64_t orders_ = 0;  // numbers placements and erasures

  std::map<ScheduleId, Plan> plans_;
  std::map<HoldKey, Timer> expiries_;  // of holds whose time is not over
  ScheduleId schedule_ = 0;            // the highest number that was given
  // What plans_ make of TTLs, as of index_caps(): of members of a service pool, and of host records
  // (ascending).
  std::map<ServicePoolId, std::vector<LeavingHost>> caps_;
  std::vector<LeavingHost> leaving_hosts_;
  std::set<ServicePoolId> capped_;  // those that were published with caps
  struct {
    std::map<ServicePoolId, base::MonoTime> sets;  // when TTLs ended
    std::vector<LeavingHost> hosts;                // likewise of host records
    std::map<PoolId, std::chrono::seconds> ttls;   // of pools that have another one now
  } before_reload_;                                // amid a reload: what was published before it
  // Until when caches keep what a pool's answers said with another TTL than now, if that is long.
  std::map<std::string, base::Moment, std::less<>> ttl_kept_until_;

  // Of several responders: whether this one decides. Always true of one alone.
  bool deciding_ = true;
  const std::unique_ptr<Following> following_;
  const std::unique_ptr<Reports> reports_;
  const std::unique_ptr<Alone> alone_;

  std::vector<Change> unaudited_;  // told, and not with the store yet
  RefusalLog refusals_;
  bool store_failing_ = false;

  std::priority_queue<Deadline> deadlines_;  // one for each server that has a lease or a guard
  std::priority_queue<Deadline> ripening_;   // when the horizon of something held is past
  std::priority_queue<Deadline> settling_;   // servers that changed too often, once each
  std::vector<LiftWait> lift_waits_;
  base::MonoTime grace_round_;  // when time ends graces next
  PoolId next_grace_ = 0;       // of that round, when it is under way
  Returns returns_;
  std::priority_queue<Step> steps_;  // one for each of the returns
  base::MonoTime stepped_;           // when weights were published last
  base::MonoTime started_;
  base::WallTime started_wall_;
  base::MonoTime alive_;        // the last time that tick() ran
  base::MonoTime lease_floor_;  // no lease is judged before
  base::MonoTime fell_still_;   // the last tick() before it stood still
  base::MonoTime caught_up_;    // by then all that had waited meanwhile was taken
  std::uint64_t heartbeats_total_ = 0;
  std::uint64_t store_failures_total_ = 0;
  std::uint64_t lease_losses_total_ = 0;
  std::uint64_t publications_total_ = 0;
  std::uint64_t refusals_total_ = 0;
  Histogram drain_ack_seconds_;
  // Callbacks of the store and the publisher hold it weakly: none outlives the authority.
  std::shared_ptr<State*> self_ = std::make_shared<State*>(this);
};

}  // namespace sluice::health
