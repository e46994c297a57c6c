#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "config/base/error.h"
#include "health/store.h"
#include "health/store/directory_lock.h"
#include "health/store/sqlite.h"
#include "health/store/tables.h"

namespace sluice::health {

// The store in one SQLite file, DIRECTORY/sluice.db, written by a thread of its own. What waits
// together is committed together: one sync of the disk for many drains.
class SqliteStore final : public Store {
 public:
  // How `done` callbacks get to the control thread. Called by the store's thread; must stay valid
  // until the store's destructor has returned.
  using Post = std::function<void(std::function<void()>)>;

  // Makes the directory and the database when they are missing, and fills `state` with what was
  // stored. Refused, in words for the operator: a directory that another authority uses, a damaged
  // database, one of a newer version.
  static base::Checked<std::unique_ptr<SqliteStore>> open(const std::string& directory, Post post,
                                                          StoredState& state);
  // Commits what is queued, posts the callbacks, and closes.
  ~SqliteStore() override;

  void commit(std::vector<Change> changes, Urgency urgency,
              std::function<void(Stored)> done) override;
  const Histogram& commit_seconds() const noexcept override { return commit_seconds_; }

 private:
  struct Request {
    std::vector<Change> changes;
    std::function<void(Stored)> done;
  };
  using Group = std::vector<Request>;

  SqliteStore(DirectoryLock lock, Database database, Tables tables, Post post);

  void run();
  // Waits for work; empty: there is none and there will be none.
  Group next_group();
  void commit_group(Group group);
  // One transaction for `requests`: all of them or none.
  SqliteResult<base::Done> transact(const Request* first, std::size_t count);
  SqliteResult<base::Done> write(const Request* first, std::size_t count);

  // In this order: the lock goes last.
  DirectoryLock lock_;
  Database database_;  // store thread only, from start on
  Tables tables_;      // likewise
  Post post_;
  Histogram commit_seconds_;

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Request> first_;   // guarded by mutex_
  std::deque<Request> behind_;  // guarded by mutex_
  bool stopping_ = false;       // guarded by mutex_

  std::thread thread_;
};

}  // namespace sluice::health
