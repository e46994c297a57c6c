#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "config/base/error.h"
#include "health/store.h"
#include "health/store/backup_copy.h"
#include "health/store/directory_lock.h"
#include "health/store/export.h"
#include "health/store/sqlite.h"
#include "health/store/tables.h"

namespace sluice::health {

struct OpenedStore;

// The store in one SQLite file, DIRECTORY/sluice.db, written by a thread of its own. What waits
// together is committed together: one sync of the disk for many drains. A second file follows it,
// for the day when the first is damaged (backup_copy.h).
class SqliteStore final : public Store {
 public:
  // How `done` callbacks get to the control thread. Called by the store's threads; must stay valid
  // until the store's destructor has returned.
  using Post = std::function<void(std::function<void()>)>;
  // Takes a sentence for the log, on the control thread; some come before open() returns.
  using Notice = std::function<void(const std::string&)>;

  // Makes the directory and the database when they are missing, and fills `state` with what was
  // stored; from the copy when the database is damaged, missing or older, which is noticed.
  // Refused, in words for the operator: a directory that another authority uses, a damaged database
  // whose copy can't be used either, one of a newer version.
  static base::Checked<std::unique_ptr<SqliteStore>> open(const std::string& directory, Post post,
                                                          Notice notice, StoredState& state);
  // Commits what is queued, posts the callbacks, brings the copy up to date, and closes.
  ~SqliteStore() override;

  // A prune goes on in portions, each behind what was queued meanwhile; `done` follows the last.
  void commit(std::vector<Change> changes, Urgency urgency,
              std::function<void(Stored)> done) override;
  const Histogram& commit_seconds() const noexcept override { return commit_seconds_; }

  // The newest `limit` entries that the audit has of that server (its FQDN), oldest first; `done`
  // is called on the control thread. Behind what is queued.
  using History = base::Result<std::vector<Event>, std::string>;
  void history(std::string server, std::size_t limit, std::function<void(History)> done);
  // The newest `limit` entries of the whole audit, likewise.
  using Recent = base::Result<RecentAudit, std::string>;
  void recent_audit(std::size_t limit, std::function<void(Recent)> done);

  // Calls `answer` on the store's thread, when that comes round to it.
  void ask(std::function<void()> answer);

  // The octets of a copy of the store as it is now, which can take the place of sluice.db before a
  // start; `done` is called on the control thread. Nothing waits for it.
  using Copy = base::Result<std::string, std::string>;
  void export_copy(std::function<void(Copy)> done);

  // Transactions that are durable, of all runs. Any thread.
  std::uint64_t commits() const noexcept { return commits_.load(std::memory_order_relaxed); }
  // Commits that the last good copy doesn't have yet, and attempts to keep it that failed. Any
  // thread.
  std::uint64_t copy_behind() const noexcept;
  std::uint64_t copy_failures() const noexcept { return copy_.failures(); }

 private:
  struct Request {
    std::vector<Change> changes;
    std::function<void(Stored)> done;
    // Instead of changes: something to read.
    std::function<void(AuditTable&)> read;
  };
  using Group = std::vector<Request>;

  // Changes that wait behind, some 4 MB: a disk takes them in a few seconds, unless it hangs.
  static constexpr std::size_t kCompactAt = 20'000;
  // Of those, entries of the audit: as many as the authority keeps of a store that fails.
  static constexpr std::size_t kMostAudit = 1'000;

  SqliteStore(DirectoryLock lock, OpenedStore opened, Post post, BackupCopy::Notice notice,
              const std::string& directory);

  void run();
  void keep_behind(Request request);
  // Waits for work; empty: there is none and there will be none.
  Group next_group();
  void commit_group(Group group);
  // One transaction for so many requests: all of them or none.
  SqliteResult<base::Done> transact(const Request* first, std::size_t count);
  SqliteResult<base::Done> write(const Request* first, std::size_t count);
  // Once it is durable: takes their changes, for the copy.
  Committed take(Request* first, std::size_t count);
  // Queues what is left of a prune, with its `done`.
  void prune_on(Request& request);

  // In this order: the lock goes last.
  DirectoryLock lock_;
  Database database_;  // store thread only, from start on
  Tables tables_;      // likewise
  Post post_;
  Histogram commit_seconds_;
  std::atomic<std::uint64_t> commits_;
  BackupCopy copy_;
  Exports exports_;

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Request> first_;            // guarded by mutex_
  std::deque<Request> behind_;           // guarded by mutex_
  std::size_t behind_changes_ = 0;       // guarded by mutex_: since it was empty
  std::size_t compact_at_ = kCompactAt;  // guarded by mutex_
  bool stopping_ = false;                // guarded by mutex_

  std::thread thread_;
};

}  // namespace sluice::health
