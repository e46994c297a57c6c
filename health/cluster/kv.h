#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "config/base/result.h"

// The engine that responders share, as far as the protocol needs it: keys and values with one
// revision for all, conditional transactions, a watch in the order of revisions, leases.
// Implemented on etcd (health/etcd) and, for the simulation, in memory (tests/health/cluster). Keys
// are relative to the configured prefix and begin with no slash. Those of the audit (`audit/…`) lie
// beside the others: they are written, listed and deleted by name, but are in no list("") and in no
// watch.
namespace sluice::cluster {

// A key that was written, or (no value) deleted.
struct Change {
  std::string key;
  std::optional<std::string> value;
  std::int64_t revision = 0;  // that of the transaction which did it
  std::int64_t lease = 0;     // 0: none

  friend bool operator==(const Change&, const Change&) = default;
};

struct Write {
  std::string key;
  std::optional<std::string> value;  // none: delete
  std::int64_t lease = 0;            // the key goes with it; 0: none

  friend bool operator==(const Write&, const Write&) = default;
};

// The key's last change was that of this revision; 0: there is no such key.
struct Condition {
  std::string key;
  std::int64_t revision = 0;

  friend bool operator==(const Condition&, const Condition&) = default;
};

// All or nothing, under all conditions. No key is written twice.
struct Transaction {
  // etcd takes 128 operations (--max-txn-ops), conditions apart.
  static constexpr std::size_t kMostWrites = 120;

  std::vector<Condition> conditions;
  std::vector<Write> writes;
};

struct Committed {
  bool met = false;           // the conditions; otherwise nothing was written
  std::int64_t revision = 0;  // the transaction's own, or (not met) the engine's newest
};

struct Failure {
  enum class Kind : std::uint8_t {
    Unreachable,  // no answer in time, or none that says: it may have been done
    Refused,      // surely not done: rights, a full quota, a lease that is gone
  };
  Kind kind = Kind::Unreachable;
  std::string text;  // for people, one line
};
template <class T>
using Reply = base::Result<T, Failure>;

struct Listing {
  std::int64_t revision = 0;    // as of which
  std::vector<Change> entries;  // by key
};

// Everything runs on the control thread. Each call returns at once; its `done` comes later, exactly
// once, never from within the call, and not after the destructor. Each answer comes in a bounded
// time: at most kLimit, but for list(), which may page.
class Kv {
 public:
  static constexpr base::Duration kLimit = std::chrono::milliseconds(1'000);

  struct WatchCalls {
    // Changes of one revision or of several, ascending; all of a revision come in one call.
    std::function<void(std::vector<Change>)> changed;
    // What should come next was compacted: list anew. The watch has ended.
    std::function<void()> compacted;
  };

  virtual ~Kv() = default;

  // Transactions are carried out in the order of the calls as far as the answers of those before
  // were awaited; two under way at a time may overtake each other.
  virtual void commit(Transaction transaction, std::function<void(Reply<Committed>)> done) = 0;

  // All keys that begin with `under` (empty: all), at one revision.
  virtual void list(std::string under, std::function<void(Reply<Listing>)> done) = 0;
  // The last `limit` of those keys in their order.
  virtual void newest(std::string under, std::size_t limit,
                      std::function<void(Reply<Listing>)> done) = 0;

  // All changes after this revision, for as long as it takes: a connection that is lost is made
  // anew, to the next endpoint, with growing pauses. One watch at a time, the newest call's.
  virtual void watch(std::int64_t after, WatchCalls calls) = 0;
  // Nothing comes though it should (the caller's canary): lets the connection go and makes another.
  virtual void renew_watch() = 0;

  // A lease that ends `ttl` (whole seconds) after its last renewal.
  virtual void grant(std::chrono::seconds ttl, std::function<void(Reply<std::int64_t>)> done) = 0;
  // False: it has ended.
  virtual void renew(std::int64_t lease, std::function<void(Reply<bool>)> done) = 0;
  // Ends it; `done` says nothing of whether that came to pass: otherwise it ends by itself.
  virtual void revoke(std::int64_t lease, std::function<void()> done) = 0;
};

}  // namespace sluice::cluster
