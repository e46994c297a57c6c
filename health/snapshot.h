#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "config/base/paged_table.h"
#include "config/base/rare.h"

// What the authority decided, for those who answer by it. No DNS in here: owner names, types and
// TTLs are the responder's; the numbers of answer sets and servers are those of config/model.h.
namespace sluice::health {

using AnswerSetId = std::uint32_t;
using ServerId = std::uint32_t;

// Why the members are who they are, when it is not the ordinary way (semantics.md section 3).
enum class Fallback : std::uint8_t {
  None,        // members accept new connections
  NeverEmpty,  // rule 6: nobody accepts; these are neither held nor forced down, though unhealthy
  ServeHeld,   // rule 6, `serve_held`: held members that are up with a current lease
  Addresses,   // rule 6, `addresses`: no members; the pool's last resort answers
  NoData,      // rule 6, `nodata`: no members, an empty answer
};

// A member that came back lately: for a while its weight is so many tenths of the configured one.
struct SlowStart {
  ServerId server = 0;
  std::uint8_t tenths = 1;  // 1..9

  friend bool operator==(const SlowStart&, const SlowStart&) = default;
};

// The members of one answer set.
struct Members {
  // Of members without a planned drain.
  static constexpr base::MonoTime kNoEnd = base::MonoTime::max();

  std::uint64_t generation = 0;  // the one that brought them
  Fallback fallback = Fallback::None;
  // Caches must have forgotten these members by then (a planned drain, semantics.md section 7): the
  // TTL of an answer that names them is capped as it is sent.
  base::MonoTime not_after = kNoEnd;
  base::WallTime since;                            // when that generation came
  std::vector<ServerId> servers;                   // in the order of the configuration
  base::Rare<std::vector<SlowStart>> slow_starts;  // of some of them, in the same order

  // Who answers and why, without regard to when that came about and to weights: what makes a
  // generation.
  bool same_members(const Members& other) const {
    return fallback == other.fallback && servers == other.servers;
  }
  // The same, with the same weights and TTLs: then one rendering does for both.
  bool same_answer(const Members& other) const {
    return same_members(other) && *slow_starts == *other.slow_starts &&
           not_after == other.not_after;
  }
  // Tenths of its configured weight that a member has now, 1..10.
  unsigned tenths(ServerId server) const {
    const auto at = std::ranges::lower_bound(*slow_starts, server, {}, &SlowStart::server);
    return at != slow_starts->end() && at->server == server ? at->tenths : 10;
  }
};

// A server whose host record goes with a planned drain (--hide-host), and by when caches must have
// forgotten that record.
struct LeavingHost {
  ServerId server = 0;
  base::MonoTime not_after;

  friend bool operator==(const LeavingHost&, const LeavingHost&) = default;
};

// When a server's host record was hidden or shown last.
struct HostChange {
  ServerId server = 0;
  std::uint64_t generation = 0;

  friend bool operator==(const HostChange&, const HostChange&) = default;
};

// One generation: immutable, shared between threads. What did not change since the generation
// before is shared with it.
struct MembershipSnapshot {
  std::uint64_t generation = 0;
  base::PagedTable<Members> answer_sets;   // by AnswerSetId
  std::vector<ServerId> hidden_hosts;      // servers without host records (--hide-host), ascending
  std::vector<LeavingHost> leaving_hosts;  // ascending by server
  std::vector<HostChange> host_changes;    // likewise; of servers that were ever hidden
  // The generation that renewed everything: a start, or a reload. With those of members and hosts
  // it says how far a zone's serial has come, the same at every responder.
  std::uint64_t renewed = 0;
};

// Puts a generation into the answers. Implemented by the responder (dns/answer), called by the
// authority on the control thread.
class Publisher {
 public:
  virtual ~Publisher() = default;

  // From its return on, whoever refreshes answers by `next`; of several responders that share one
  // state (health/cluster) soon after, once all can have it. `changed` are the answer sets that
  // differ from the snapshot published before, `changed_hosts` the servers whose host records come
  // or go. Returns the publication's number; Authority::on_served() is told when every responder
  // thread has reached it.
  virtual std::uint64_t publish(std::shared_ptr<const MembershipSnapshot> next,
                                std::span<const AnswerSetId> changed,
                                std::span<const ServerId> changed_hosts) = 0;

  // The same for `next` of the same generation, in which the members of `changed` have other
  // weights or another `not_after`, or hosts have, and nothing else differs: no zone changes.
  virtual std::uint64_t adjust(std::shared_ptr<const MembershipSnapshot> next,
                               std::span<const AnswerSetId> changed) = 0;
};

}  // namespace sluice::health
