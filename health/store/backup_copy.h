#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "health/store.h"
#include "health/store/tables.h"

namespace sluice::health {

// A transaction of sluice.db that is durable.
struct Committed {
  std::vector<Change> changes;
  Seal seal;  // after it
};

// The last good copy, DIRECTORY/sluice.backup.db: the same changes applied again, in groups with a
// sync of their own, at most a second after they were committed. Damage to sluice.db does not get
// into it. A thread of its own keeps it, so that no acknowledgement waits for it, or for what may
// go wrong with it: then it is tried again, or made anew from sluice.db.
class BackupCopy {
 public:
  // As long as it fails, what waits for it must not fill the memory: after so many changes the copy
  // is made anew rather than brought up to date. Some 4 MB.
  static constexpr std::size_t kMaxPending = 20'000;

  // Takes a sentence for the log; called by the copy's thread.
  using Notice = std::function<void(std::string)>;

  // `seal`: of sluice.db, which is open already. `is_current`: the copy says the same, and is used
  // as it is if it is found whole; otherwise it is made anew.
  BackupCopy(const std::string& directory, const Seal& seal, bool is_current, Notice notice);
  // Brings it up to date once more, if that succeeds.
  ~BackupCopy();

  // In the order of commits. Any thread.
  void add(Committed committed);

  // The commit up to which the copy on disk goes; 0: there is none. Any thread.
  std::uint64_t commits() const noexcept { return commits_.load(std::memory_order_relaxed); }
  // Attempts that failed. Any thread.
  std::uint64_t failures() const noexcept { return failures_.load(std::memory_order_relaxed); }

 private:
  struct Connection {
    Database database;
    Tables tables;
  };
  enum class State : std::uint8_t { Unchecked, Stale, Good };
  using Step = base::Result<base::Done, std::string>;

  void run();
  // Waits until there is something to do, gathering what comes shortly after; true: it ends.
  bool wait();
  void attempt();
  Step check();
  Step rebuild();
  Step connect(Database database, const Seal& seal);
  Step apply();
  SqliteResult<base::Done> write(const std::deque<Committed>& group);
  void succeeded();
  void failed(const std::string& why);
  // Whether there is time to make a whole copy.
  bool goes_on();

  const std::string source_path_;
  const std::string path_;
  const Notice notice_;
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> failures_{0};

  // The copy's thread only.
  State state_;
  std::optional<Connection> connection_;  // Good
  std::chrono::seconds patience_{0};      // before the next attempt; 0: the last one succeeded

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Committed> pending_;  // guarded by mutex_
  std::size_t pending_size_ = 0;   // guarded by mutex_: changes in it
  std::uint64_t newest_;           // guarded by mutex_: commit of sluice.db
  bool overflown_ = false;         // guarded by mutex_: some of pending_ was given up
  std::optional<std::chrono::steady_clock::time_point> ending_;  // since; guarded by mutex_

  std::thread thread_;
};

}  // namespace sluice::health
