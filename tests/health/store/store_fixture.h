#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "health/store/recovery.h"
#include "health/store/sqlite_store.h"
#include "tests/health/store/fault_vfs.h"
#include "tests/health/store/samples.h"

namespace sluice::health::testing {

namespace fs = std::filesystem;

// A folder of its own and stores in it. Callbacks run on the store's threads.
class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string pattern = fs::temp_directory_path() / "sluice-store-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    state_directory_ = directory_ + "/state";
  }
  ~StoreTest() override { fs::remove_all(directory_); }

  base::Checked<std::unique_ptr<SqliteStore>> try_open() {
    state_ = {};
    return SqliteStore::open(
        state_directory_, [](const std::function<void()>& task) { task(); },
        [this](const std::string& notice) {
          const std::lock_guard guard(mutex_);
          notices_ += notice + "\n";
        },
        state_);
  }
  std::unique_ptr<SqliteStore> open() {
    auto store = try_open();
    EXPECT_TRUE(store) << to_string(store.error());
    return store ? std::move(*store) : nullptr;
  }
  std::string refusal() {
    auto store = try_open();
    return store ? "none" : to_string(store.error());
  }

  // Commits and waits. The callback shares the promise: it may return after the wait is over.
  static Store::Stored commit(Store& store, std::vector<Change> changes,
                              Store::Urgency urgency = Store::Urgency::First) {
    const auto promise = std::make_shared<std::promise<Store::Stored>>();
    store.commit(std::move(changes), urgency,
                 [promise](Store::Stored stored) { promise->set_value(std::move(stored)); });
    return promise->get_future().get();
  }

  // Ends when `reached()` is true.
  template <class Condition>
  static ::testing::AssertionResult wait_until(Condition reached) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!reached()) {
      if (std::chrono::steady_clock::now() > patience) {
        return ::testing::AssertionFailure() << "not within twenty seconds";
      }
      std::this_thread::yield();
    }
    return ::testing::AssertionSuccess();
  }
  static ::testing::AssertionResult copied(const SqliteStore& store) {
    return wait_until([&] { return store.copy_behind() == 0; });
  }
  // Notices come after what they tell of.
  ::testing::AssertionResult noticed(const std::string& part) {
    return wait_until([&] { return notices().find(part) != std::string::npos; }) << ": " << part;
  }

  std::string database() const { return database_path(state_directory_); }
  std::string copy() const { return copy_path(state_directory_); }
  void remove_copy() const {
    for (const char* end : {"", "-wal", "-shm"}) fs::remove(copy() + end);
  }
  const std::string& parent() const { return directory_; }
  const std::string& state_directory() const { return state_directory_; }
  const StoredState& state() const { return state_; }
  // All that came, one to a line.
  std::string notices() {
    const std::lock_guard guard(mutex_);
    return notices_;
  }

 private:
  std::string directory_;
  std::string state_directory_;
  StoredState state_;
  std::mutex mutex_;
  std::string notices_;  // guarded by mutex_
};

}  // namespace sluice::health::testing
