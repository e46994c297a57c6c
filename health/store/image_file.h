#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "config/base/clock.h"
#include "config/base/error.h"
#include "health/cluster/copy.h"
#include "health/histogram.h"
#include "health/store/directory_lock.h"
#include "health/store/image_tables.h"
#include "health/store/sqlite.h"

namespace sluice::health {

// DIRECTORY/cluster.db
std::string image_path(const std::string& directory);

// Gives the file another name, "cluster.db.before-TIME", so that the next start begins without it;
// that name, or nothing when there is none. For who has the directory's lock.
base::Checked<std::optional<std::string>> put_image_away(const std::string& directory,
                                                         base::WallTime now);

// A responder's own copy of what the cluster shares, in SQLite (WAL, synchronous=FULL): what it
// starts with when there is no engine. Calls come from the control thread and return at once; the
// thread "store" writes what is queued in one transaction, syncs once, and posts the callbacks.
//
// What could not be written stays in front of what comes next and is written with that: the copy
// never has a later change without an earlier one.
class ImageFile final : public cluster::Copy {
 public:
  // Runs a task on the control thread. Called on the store's thread, until the destructor is done.
  using Post = std::function<void(std::function<void()>)>;
  // Takes a sentence for the operator's log. Called by open(), on the caller's thread.
  using Notice = std::function<void(const std::string&)>;

  // Makes the directory and the file when they are missing, and fills `state` with what was kept. A
  // file that is damaged, or whose journal is, is put aside, which is noticed: an empty one takes
  // its place, since it is a copy. Refused, in words for the operator: a directory that somebody
  // else uses, a file of a newer version, no right to write.
  static base::Checked<std::unique_ptr<ImageFile>> open(const std::string& directory, Post post,
                                                        const Notice& notice, cluster::Kept& state);
  // Writes what is queued, posts the callbacks, and closes.
  ~ImageFile() override;

  // A revision that is older than the newest that was asked to be kept fails and changes nothing.
  void keep(std::int64_t revision, std::vector<cluster::Change> changes,
            std::function<void(Stored)> done) override;
  void replace(std::string cluster, std::int64_t revision, std::vector<cluster::Change> entries,
               std::function<void(Stored)> done) override;
  void keep_own(std::vector<cluster::Write> writes, std::function<void(Stored)> done) override;

  // Duration of each durable transaction. Any thread.
  const Histogram& commit_seconds() const noexcept { return commit_seconds_; }

 private:
  struct Request {
    enum class Kind : std::uint8_t { Keep, Replace, Own };
    Kind kind = Kind::Keep;
    std::string cluster;
    std::int64_t revision = 0;
    std::vector<cluster::Change> changes;
    std::vector<cluster::Write> own;
    std::function<void(Stored)> done;
  };

  ImageFile(DirectoryLock lock, Database database, ImageTables tables, std::int64_t revision,
            Post post);

  void add(Request request);
  void run();
  // Waits for work; empty: there is none and there will be none.
  std::vector<Request> next_group();
  void write_group(std::vector<Request> group);
  // Adds it to what is unwritten; the error: why not.
  Stored take(Request& request);
  SqliteResult<base::Done> write();

  // In this order: the lock goes last. All but the queue is the store thread's from start on.
  DirectoryLock lock_;
  Database database_;
  ImageTables tables_;
  Post post_;
  Histogram commit_seconds_;
  std::int64_t newest_ = 0;  // revision that was asked to be kept, written or not
  ImageChanges unwritten_;

  std::mutex mutex_;
  std::condition_variable work_;
  std::vector<Request> queue_;  // guarded by mutex_
  bool stopping_ = false;       // guarded by mutex_

  std::thread thread_;
};

}  // namespace sluice::health
