#pragma once

#include <atomic>
#include <cassert>
#include <cstdint>
#include <memory>
#include <mutex>

namespace sluice::base {

// The one way in which a thread hands a picture of the world to others: an immutable value behind a
// counter. One writer publishes; each reading thread has a SnapshotReader of its own, whose
// refresh() costs one atomic load while nothing changed.
//
// The number of a publication grows by one with each, from 1 (the value given at construction). A
// reader says by seen() which one it uses; when every reader has seen N, nobody uses an older
// value.
template <class T>
class SnapshotCell {
 public:
  explicit SnapshotCell(std::shared_ptr<const T> first) : current_(std::move(first)) {
    assert(current_);
  }
  SnapshotCell(const SnapshotCell&) = delete;
  SnapshotCell& operator=(const SnapshotCell&) = delete;

  // Writer's thread only. Makes `next` the current value and returns the one it replaces; the
  // caller keeps that until every reader has refreshed, so that no reader runs the destructor of a
  // large value.
  [[nodiscard]] std::shared_ptr<const T> publish(std::shared_ptr<const T> next) {
    assert(next);
    const std::lock_guard lock(mutex_);
    current_.swap(next);
    publication_.fetch_add(1, std::memory_order_release);
    return next;
  }

  // Of the current value. Any thread.
  std::uint64_t publication() const noexcept {
    return publication_.load(std::memory_order_acquire);
  }

 private:
  template <class U>
  friend class SnapshotReader;

  std::atomic<std::uint64_t> publication_{1};
  mutable std::mutex mutex_;
  std::shared_ptr<const T> current_;  // guarded by mutex_
};

// One reading thread's view of a cell. Not shared between threads, but for seen().
template <class T>
class SnapshotReader {
 public:
  explicit SnapshotReader(const SnapshotCell<T>& cell) : cell_(cell) { refresh(); }
  SnapshotReader(const SnapshotReader&) = delete;
  SnapshotReader& operator=(const SnapshotReader&) = delete;

  // The newest value. The reference stays valid until the next refresh() of this reader: call it
  // once a batch, never in the middle of an answer.
  const T& refresh() {
    if (cell_.publication_.load(std::memory_order_acquire) != held_publication_) {
      const std::lock_guard lock(cell_.mutex_);
      held_ = cell_.current_;
      held_publication_ = cell_.publication_.load(std::memory_order_relaxed);
    }
    return *held_;
  }

  // The publication that the value of the last refresh() belongs to. This reader's thread.
  std::uint64_t publication() const noexcept { return held_publication_; }

 private:
  const SnapshotCell<T>& cell_;
  std::uint64_t held_publication_ = 0;
  std::shared_ptr<const T> held_;
};

}  // namespace sluice::base
