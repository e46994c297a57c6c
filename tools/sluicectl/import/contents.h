#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "health/cluster/records.h"
#include "health/store.h"
#include "health/store/audit_table.h"

// What an import carries, from the embedded store to etcd and back. Pure.
namespace sluice::ctl {

// Entries of the audit that go along: 120 to a transaction, so some hundred of them.
inline constexpr std::size_t kMostAudit = 10'000;

struct Contents {
  // Without what is each responder's own: horizons, TTLs, since when an answer is capped.
  health::StoredState state;
  std::uint64_t publication = 0;     // to etcd
  std::vector<health::Event> audit;  // oldest first
  std::uint64_t audit_left_out = 0;  // entries that are older, or can't be read
};

// Of an embedded store. The generation is one that it never used. No members of answers: whoever
// decides first makes them.
Contents contents_of(health::StoredState stored, health::RecentAudit audit);

// Of a cluster, all that its prefix has. Healths are those that agents were last known to have.
struct Found {
  Contents contents;
  cluster::Image image;
  std::vector<std::string> alive;  // responders
};
// Of the audit the newest `most_audit`.
Found contents_of(const std::vector<cluster::Change>& entries, std::size_t most_audit);

// In the order in which they may be written in several transactions; the edition last. All that
// makes it a cluster but `cluster` itself.
std::vector<cluster::Write> writes_of(const Contents& contents);

// Likewise of a responder's copy of a cluster that was lost, as it was but for what goes with a
// responder's life: leases, and whose turn it is.
std::vector<cluster::Write> writes_of(const std::vector<cluster::Change>& copy);

// For a store that has `before`: holds, forced healths and planned drains of which nothing stays,
// numbers that go on from the higher ones, and entries of the audit that stay once.
std::vector<health::Change> changes_of(const Contents& contents, const health::StoredState& before,
                                       const std::vector<health::Event>& audit_before);

// What is in the way of a copy of the cluster that was here: all; but where there is no cluster,
// what responders wrote for their own lives while the rest was deleted is in nobody's way.
std::vector<cluster::Change> in_the_way(std::vector<cluster::Change> entries);

// "1 hold, 2 planned drains": what stands below a prefix, or "" for nothing.
std::string counted(const std::vector<cluster::Change>& entries);
// Likewise: holds, forced healths and planned drains; "" for none.
std::string counted(const health::StoredState& state);

// As many as fit into one transaction each, in their order.
std::vector<std::vector<cluster::Write>> in_transactions(std::vector<cluster::Write> writes);

}  // namespace sluice::ctl
