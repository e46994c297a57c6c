#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/base/address.h"
#include "config/base/clock.h"
#include "tools/sluicectl/api/json_reader.h"

// What the authority answers (interfaces.md, "HTTP API"), as far as this program shows it. Read by
// read_answer(document, read_...): a member that is required here is one without which nothing
// true could be shown.
namespace sluice::ctl {

using Counters = std::vector<std::pair<std::string, std::uint64_t>>;  // by counter name

struct Reason {
  std::string code;
  std::string text;
  std::optional<base::WallTime> until;
};

struct Verdict {
  bool safe_to_stop = false;
  std::vector<Reason> reasons;
  std::vector<std::string> warnings;

  const Reason* reason(std::string_view code) const;
  // Without DNS load balancing one reason stays when all others are gone (semantics.md section 6):
  // whoever waits would wait for ever.
  bool hopeless() const;
};

struct Hold {
  std::string scope;   // server, service
  std::string origin;  // operator, host, schedule
  std::string by;
  std::string reason;
  std::string startup;
  bool forced = false;
  bool hide_host = false;
  bool local = false;  // of the responder that was asked alone
  std::optional<base::WallTime> since;
  std::optional<base::WallTime> expires;  // absent: it ends by nobody but an operator
  std::string then;                       // lift, alarm; empty: it does not expire
  bool alarmed = false;                   // its time is over, and somebody was to know
};

// What is planned: a drain, or the end of a hold.
struct Schedule {
  std::string id;
  std::string kind;  // drain, expiry
  std::string server;
  std::string service;  // empty: the whole server
  base::WallTime at;  // from then on no cache names it; of an expiry: when the hold's time is over
  std::optional<base::WallTime> leaves_at;  // of a drain: when it leaves the answers
  std::string by;
  std::string reason;
  std::optional<base::WallTime> expires;  // of the planned hold
  std::string then;                       // lift, alarm; empty: nothing expires
  std::vector<std::string> warnings;
};

struct Service {
  std::string name;
  std::string title;
  std::vector<std::string> consolidates;
  std::string status;
  std::string health;  // empty: not known
  std::string forced;  // up, down; empty: not forced
  std::string startup;
  std::optional<Counters> sessions;  // absent: not known, which is never zero
  bool in_answers = false;
  std::optional<base::WallTime> cache_horizon;
  std::vector<Hold> holds;
  std::string hook_state;
  std::string hook_text;
  Verdict verdict;
};

struct Server {
  std::string name;  // FQDN
  std::string pool;
  std::vector<base::IpAddress> addresses;
  std::string domain;  // what fails together, such as a rack; empty: not said
  std::string lease;   // current, expired, never, guarded
  bool host_hidden = false;
  std::vector<Service> services;
  std::vector<Schedule> schedules;
  Verdict verdict;
  std::vector<std::string> warnings;

  const Service* service(std::string_view name) const;
};

struct AnswerSet {
  std::string owner;
  std::string service;
  std::string fallback;  // empty: the ordinary way
  std::vector<std::string> members;
  // Who counts for the floor, and the floor; absent: an authority that does not say.
  std::optional<std::uint64_t> accepting;
  std::optional<std::uint64_t> min_accepting;
  std::optional<base::WallTime> since;          // when these members came
  std::optional<base::WallTime> cache_horizon;  // by then no cache has what was answered before
};

struct Pool {
  std::string name;
  std::string service;
  std::uint64_t generation = 0;
  std::uint64_t min_accepting = 0;
  std::optional<std::uint64_t> ttl;  // absent: an authority that does not say
  std::uint64_t answer_size = 0;     // servers an answer; 0: all
  std::vector<base::IpAddress> last_resort;
  bool dns_load_balancing = true;
  bool mass_loss_guard = false;
  std::vector<AnswerSet> answer_sets;
  std::vector<Server> servers;
  std::vector<std::string> warnings;

  const Server* server(std::string_view fqdn) const;
  const AnswerSet* answer_set(std::string_view owner) const;
};

// Who answers DNS by the authority's state.
struct Responder {
  std::string name;
  std::vector<base::SocketAddress> listen;
  std::vector<std::string> zones;
};

// One responder of a cluster, as the one that was asked knows it.
struct ClusterResponder {
  std::string name;
  bool self = false;  // the one that was asked
  bool alive = false;
  bool decides = false;
  std::uint64_t generation = 0;                     // that it has confirmed
  std::uint64_t behind = 0;                         // publications that it has not
  std::optional<base::WallTime> unconfirmed_since;  // absent: it has confirmed all
  std::optional<double> clock_offset;               // seconds; absent: not known
  std::string version;
  std::vector<std::string> dns;  // ADDRESS@PORT
  std::vector<std::string> api;
  bool same_configuration = true;
};

struct Cluster {
  std::string prefix;
  std::string state;  // deciding, following, cut-off, alone
  bool stale = false;
  std::optional<base::WallTime> stale_since;
  std::string alarm;    // empty: none
  std::string decider;  // empty: nobody, or not known
  std::uint64_t generation = 0;
  std::uint64_t publication = 0;
  std::vector<ClusterResponder> responders;
  std::vector<std::string> warnings;
};

// Of /readyz.
struct Readiness {
  bool stale = false;
  std::optional<base::WallTime> since;
  std::string reason;
};

// A hold whose server or service the configuration no longer has.
struct Orphan {
  std::string server;
  std::string service;  // empty: the whole server
  Hold hold;
};

struct Pools {
  std::vector<Pool> pools;
  std::vector<Orphan> orphans;
};

// Of drain, resume and force.
struct Acknowledgement {
  std::uint64_t generation = 0;
  std::vector<std::string> confirmed_by;
  std::vector<std::string> unconfirmed;
  std::optional<base::WallTime> cache_horizon;
  std::vector<std::string> warnings;
};

struct ExplainedMember {
  std::string server;
  bool in = false;
  std::string rule;
  std::string text;
  std::optional<base::WallTime> since;
  std::string by;
};

struct Explanation {
  std::string name;
  std::string type;
  std::string answer_set;
  std::string service;
  std::string fallback;
  std::vector<ExplainedMember> members;
};

Verdict read_verdict(JsonReader& reader);
Schedule read_schedule(JsonReader& reader);
std::vector<Schedule> read_schedules(JsonReader& reader);  // of {"schedules": [...]}
Server read_server(JsonReader& reader);
Pool read_pool(JsonReader& reader);
std::vector<Responder> read_responders(JsonReader& reader);  // of {"responders": [...]}
Pools read_pools(JsonReader& reader);
Acknowledgement read_acknowledgement(JsonReader& reader);
Explanation read_explanation(JsonReader& reader);
Cluster read_cluster(JsonReader& reader);
Readiness read_readiness(JsonReader& reader);

}  // namespace sluice::ctl
