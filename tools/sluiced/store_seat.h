#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "health/store.h"
#include "health/store/sqlite_store.h"

namespace sluice {

// The place of the store: the authority's for as long as it runs, while the store itself may be
// away, in the hands of a process that takes this one's place. What is committed meanwhile waits.
// Control thread only.
class StoreSeat final : public health::Store {
 public:
  void commit(std::vector<health::Change> changes, Urgency urgency,
              std::function<void(Stored)> done) override;
  const health::Histogram& commit_seconds() const noexcept override;

  // Gives it what waited.
  void take(std::unique_ptr<health::SqliteStore> store);
  // Flushes and closes it; another process may open the directory then.
  void vacate();
  // What waits is another process's to decide anew.
  void forget() noexcept { waiting_.clear(); }

  // Instead: what several responders share.
  void take(health::Store& shared);

  // Null while it is away, and of a cluster.
  health::SqliteStore* get() noexcept { return store_.get(); }

 private:
  struct Commit {
    std::vector<health::Change> changes;
    Urgency urgency;
    std::function<void(Stored)> done;
  };

  void pass_on(health::Store& store);

  std::unique_ptr<health::SqliteStore> store_;
  health::Store* shared_ = nullptr;
  std::deque<Commit> waiting_;
  health::Histogram none_;
};

}  // namespace sluice
