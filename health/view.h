#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/base/address.h"
#include "config/base/clock.h"
#include "config/model.h"
#include "health/heartbeat.h"
#include "health/hold.h"
#include "health/snapshot.h"

// What the authority tells about itself: copies, for the API to write as JSON (interfaces.md).
namespace sluice::health {

enum class Status : std::uint8_t { Unknown, Down, Held, Draining, Drained, Accepting };

struct Reason {
  std::string code;  // "responders", "horizon", "sessions", "sessions-unknown", "not-held", ...
  std::string text;
  std::optional<base::WallTime> until;
};

struct Verdict {
  bool safe_to_stop = false;
  std::vector<Reason> reasons;  // empty exactly when safe
  std::vector<std::string> warnings;
};

struct HoldView {
  Scope scope = Scope::Server;
  Origin origin = Origin::Operator;
  std::string by;
  std::string reason;
  base::WallTime since;
  config::Startup startup = config::Startup::Automatic;  // for the service that it is shown at
  bool forced = false;
  bool hide_host = false;
  bool local = false;  // this responder's alone, until the cluster's store can be reached again
  std::optional<Expiry> expiry;
};

// A planned drain, or the end of a hold that ends by itself.
struct ScheduleView {
  enum class Kind : std::uint8_t { Drain, Expiry };

  ScheduleId id = 0;
  Kind kind = Kind::Drain;
  std::string server;
  std::string service;  // empty: the whole server
  base::WallTime at;
  std::optional<base::WallTime> leaves_at;  // Drain: when the server leaves the answers
  std::string by;
  std::string reason;
  std::optional<config::Startup> startup;
  bool hide_host = false;
  bool force = false;
  std::optional<base::WallTime> expires;  // of a planned hold
  Then then = Then::Lift;                 // of an expiry, or of a planned hold that expires
  base::WallTime created;                 // Expiry: since when the hold stands
  std::vector<std::string> warnings;
};

struct ServiceView {
  std::string name;
  std::string title;
  std::vector<std::string> consolidates;
  Status status = Status::Unknown;
  std::optional<Health> health;  // absent: never pushed, or the lease ran out unguarded
  std::optional<Health> forced;  // Up or Down
  std::optional<std::string> instance;
  config::Startup startup = config::Startup::Automatic;  // the configured default
  std::optional<Sessions> sessions;
  std::optional<std::chrono::milliseconds> last_new_connection;  // ago, as of now
  bool in_answers = false;
  std::optional<base::WallTime> cache_horizon;  // absent while in answers, or when never named
  std::vector<HoldView> holds;
  std::optional<HookOutcome> hook;
  Verdict verdict;
};

enum class LeaseState : std::uint8_t {
  Current,
  Expired,
  Never,    // no agent pushed since the authority started
  Guarded,  // expired, but the mass-loss guard keeps the last known health
};

struct ServerView {
  std::string server;
  std::string pool;
  std::vector<base::IpAddress> addresses;
  std::uint8_t weight = 100;
  std::string domain;  // empty: none
  LeaseState lease = LeaseState::Never;
  std::chrono::milliseconds lease_expires_in{0};  // 0 unless Current
  bool host_hidden = false;
  std::vector<ServiceView> services;    // in the order of the configuration
  std::vector<ScheduleView> schedules;  // of this server, by time
  Verdict verdict;
  std::vector<std::string> warnings;
};

struct AnswerSetView {
  std::string owner;
  std::string service;
  Fallback fallback = Fallback::None;
  std::vector<std::string> members;  // FQDNs
  unsigned accepting = 0;            // in by rules 2 to 5: what the floor counts
  unsigned min_accepting = 0;
  base::WallTime since;          // when these members came
  base::WallTime cache_horizon;  // by then no cache has what was answered before
};

struct PoolView {
  std::string pool;
  std::string service;
  std::uint64_t generation = 0;
  std::chrono::seconds ttl{0};
  unsigned answer_size = 0;                  // servers an answer; 0: all
  std::vector<base::IpAddress> last_resort;  // what answers when all are held, where that is so
  unsigned min_accepting = 0;
  bool dns_load_balancing = true;
  bool mass_loss_guard = false;
  std::vector<AnswerSetView> answer_sets;
  std::vector<ServerView> servers;
  std::vector<std::string> warnings;
};

// One server's part in one answer, for `explain`.
struct ExplainedMember {
  std::string server;
  bool in = false;
  std::string rule;  // "accepting", "hold", "forced-up", "forced-down", "down", "unknown", ...
  std::string text;
  std::optional<base::WallTime> since;
  std::string by;
};

struct Explanation {
  std::string answer_set;  // owner name
  std::string service;
  Fallback fallback = Fallback::None;
  std::vector<ExplainedMember> members;
};

// A hold whose server or service the configuration no longer has; in force again when it returns.
struct OrphanView {
  std::string server;
  std::string service;  // empty: the whole server
  HoldView hold;
};

// Who answers DNS by this authority's state.
struct ResponderView {
  std::string name;                         // as `confirmed_by` has it
  std::vector<base::SocketAddress> listen;  // UDP and TCP, with the real ports
  std::vector<std::string> zones;
};

// One responder of a cluster, as the one who is asked knows it.
struct ClusterResponderView {
  std::string name;
  bool self = false;     // the one who is asked
  bool alive = false;    // its lease in the cluster's store is current
  bool decides = false;  // has the turn
  // What it has confirmed that it answers.
  std::uint64_t publication = 0;
  std::uint64_t generation = 0;
  std::uint64_t behind = 0;                         // publications that it has not confirmed yet
  std::optional<base::WallTime> unconfirmed_since;  // absent: it has confirmed all
  std::optional<std::chrono::milliseconds> clock_offset;  // its clock less ours; absent: not known
  std::optional<base::WallTime> since;                    // of its run
  std::string version;
  std::vector<std::string> dns;    // ADDRESS@PORT
  std::vector<std::string> api;    // ADDRESS@PORT
  std::string configuration;       // digest of what it was configured to answer
  bool same_configuration = true;  // as the one who is asked
};

enum class ClusterState : std::uint8_t {
  Deciding,   // has the turn
  Following,  // another one has it
  CutOff,     // the cluster's store can't be reached
  Alone,      // no cluster was ever joined: a start without the store
};

// What this responder knows of its cluster.
struct ClusterView {
  std::string id;      // 32 hex digits; empty: not known yet
  std::string prefix;  // "/sluice"
  ClusterState state = ClusterState::Alone;
  std::optional<base::WallTime> stale_since;  // absent: not stale
  std::int64_t revision = 0;                  // of the store, that is taken over
  std::string alarm;    // what an operator must look at, in one line; empty: nothing
  std::string decider;  // a responder's name; empty: nobody, or not known
  std::uint64_t generation = 0;
  std::uint64_t publication = 0;
  std::vector<ClusterResponderView> responders;  // by name
  std::vector<std::string> warnings;
};

// The state that answers may be old.
struct Staleness {
  base::WallTime since;
  std::string reason;  // one line for people
};

class Topology;  // health/topology.h

// For the metrics page. Its names are views into `names`: of 100,000 pools a copy takes longer than
// the figures.
struct Figures {
  std::shared_ptr<const Topology> names;
  std::size_t pools = 0;  // that are counted so far
  struct ServiceCount {
    std::string_view pool;
    std::string_view service;
    std::array<std::uint32_t, 6> by_status{};  // indexed by Status
    std::uint32_t accepting = 0;               // in by rules 2 to 5: what the floor counts
    std::uint32_t min_accepting = 0;           // the largest of its answer sets
  };
  std::vector<ServiceCount> services;
  std::array<std::uint32_t, 3> holds{};  // indexed by Origin
  // By Origin: how many holds are at least so old; the first counts all.
  static constexpr std::array<std::chrono::seconds, 5> kHoldAges{
      std::chrono::seconds(0), std::chrono::hours(1), std::chrono::hours(8), std::chrono::hours(24),
      std::chrono::hours(24 * 7)};
  std::array<std::array<std::uint32_t, 5>, 3> holds_by_age{};
  // Of services that are held, pools without any left out.
  struct Draining {
    std::string_view pool;
    std::string_view service;
    std::uint32_t servers = 0;   // status draining
    double horizon_seconds = 0;  // until the last cache forgets the last of them
    double oldest_seconds = 0;   // age of the oldest hold on a server that drains; 0: none does
  };
  std::vector<Draining> draining;
  // The sum over a pool's servers whose agents say it.
  struct SessionCount {
    std::string_view pool;
    std::string_view service;
    std::string counter;
    std::uint64_t sessions = 0;
  };
  std::vector<SessionCount> sessions;
  std::uint32_t schedules = 0;       // planned drains
  std::uint32_t holds_alarming = 0;  // whose time is over (then: alarm)
  std::uint64_t lease_losses_total = 0;
  std::uint64_t publications_total = 0;
  std::uint64_t refusals_total = 0;
  std::vector<std::pair<std::string_view, bool>> mass_loss_guard;  // by pool
  std::uint64_t generation = 0;
  std::uint64_t heartbeats_total = 0;
  std::uint64_t store_failures_total = 0;
};

const char* to_string(Status status) noexcept;
const char* to_string(Health health) noexcept;
const char* to_string(Scope scope) noexcept;
const char* to_string(Origin origin) noexcept;
const char* to_string(Fallback fallback) noexcept;
const char* to_string(LeaseState state) noexcept;
const char* to_string(config::Startup startup) noexcept;
const char* to_string(ScheduleView::Kind kind) noexcept;
const char* to_string(ClusterState state) noexcept;

}  // namespace sluice::health
