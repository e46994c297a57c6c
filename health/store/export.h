#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "config/base/result.h"
#include "health/store/sqlite.h"

namespace sluice::health {

// Copies of the store for operators to keep (`sluicectl backup`), made by a thread of their own
// from what is committed at that moment, in memory: nothing waits for them, and no disk need have
// room.
class Exports {
 public:
  // The octets of a database file, or why there is none.
  using Done = std::function<void(base::Result<std::string, std::string>)>;

  explicit Exports(std::string database_path);
  // Those that are under way or wait fail.
  ~Exports();

  // `done` is called by the exports' thread. Any thread.
  void add(Done done);

 private:
  void run();
  SqliteResult<std::string> make();
  bool ending();

  const std::string path_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Done> waiting_;  // guarded by mutex_
  bool ending_ = false;       // guarded by mutex_
  std::thread thread_;
};

}  // namespace sluice::health
