#include "health/store/backup_copy.h"

#include <algorithm>
#include <utility>

#include <pthread.h>

#include "health/store/recovery.h"
#include "health/store/store_file.h"

namespace sluice::health {
namespace {

using base::Done;
using base::Unexpected;

// What comes in this time shares a sync. With a sync of a busy disk it stays below the second that
// the copy may be late.
constexpr std::chrono::milliseconds kGather(400);
constexpr std::chrono::seconds kMaxPatience(64);
// What a copy that is being made when the store closes may still take; it is made at the next start
// otherwise.
constexpr std::chrono::seconds kLastEffort(2);

}  // namespace

BackupCopy::BackupCopy(const std::string& directory, const Seal& seal, bool is_current,
                       Notice notice)
    : source_path_(database_path(directory)),
      path_(copy_path(directory)),
      notice_(std::move(notice)),
      state_(is_current ? State::Unchecked : State::Stale),
      newest_(seal.commits),
      thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "store-copy");
}

BackupCopy::~BackupCopy() {
  {
    const std::lock_guard guard(mutex_);
    ending_ = std::chrono::steady_clock::now();
  }
  work_.notify_one();
  thread_.join();
}

void BackupCopy::add(Committed committed) {
  {
    const std::lock_guard guard(mutex_);
    newest_ = committed.seal.commits;
    pending_size_ += committed.changes.size();
    pending_.push_back(std::move(committed));
    if (pending_size_ > kMaxPending) {
      overflown_ = true;
      pending_.clear();
      pending_size_ = 0;
    }
  }
  work_.notify_one();
}

bool BackupCopy::goes_on() {
  const std::lock_guard guard(mutex_);
  return !ending_ || std::chrono::steady_clock::now() < *ending_ + kLastEffort;
}

void BackupCopy::run() {
  bool last = false;
  while (!last) {
    last = wait();
    attempt();
  }
}

bool BackupCopy::wait() {
  std::unique_lock guard(mutex_);
  const auto ending = [this] { return ending_.has_value(); };
  if (patience_.count() > 0) {
    work_.wait_for(guard, patience_, ending);
  } else if (state_ == State::Good) {
    work_.wait(guard, [&] { return ending() || overflown_ || !pending_.empty(); });
    work_.wait_for(guard, kGather, ending);
  }
  return ending();
}

// One step further: the copy is checked or made, then what was committed since is applied.
void BackupCopy::attempt() {
  {
    const std::lock_guard guard(mutex_);
    if (std::exchange(overflown_, false)) state_ = State::Stale;
  }
  Step done = Done{};
  if (state_ == State::Unchecked) done = check();
  if (done && state_ == State::Stale) done = rebuild();
  if (done) done = apply();
  done ? succeeded() : failed(done.error());
}

void BackupCopy::succeeded() {
  if (std::exchange(patience_, std::chrono::seconds(0)).count() > 0) {
    notice_("backup: " + path_ + " is kept again");
  }
}

void BackupCopy::failed(const std::string& why) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  if (patience_.count() == 0) {
    notice_("backup: " + path_ + " can't be kept (" + why + "); trying again");
  }
  patience_ = std::clamp(patience_ * 2, std::chrono::seconds(1), kMaxPatience);
}

BackupCopy::Step BackupCopy::check() {
  state_ = State::Stale;
  auto file = inspect(path_, 0);
  if (!file) return Unexpected{file.error().message};
  if (file->condition != StoreFile::Condition::Whole) {
    notice_("backup: " + path_ + " " + file->why + "; making it anew");
    return Done{};
  }
  return connect(std::move(file->database), file->content.seal);
}

BackupCopy::Step BackupCopy::rebuild() {
  connection_.reset();
  std::uint64_t newest = 0;
  {
    const std::lock_guard guard(mutex_);
    newest = newest_;
  }
  auto source = Database::open(source_path_, false);
  if (!source) return Unexpected{source.error().text};
  auto ready = configure(*source);
  if (!ready) return Unexpected{ready.error().text};
  auto made = create_file(path_, [&](Database& to) -> SqliteResult<Done> {
    auto copied = source->copy_to(to, [this] { return goes_on(); });
    if (!copied) return copied;
    const auto seal = read_seal(to);
    if (!seal) return Unexpected{seal.error()};
    if (seal->commits >= newest) return Done{};
    return Unexpected{SqliteError{SQLITE_READONLY_DBMOVED, "sluice.db was replaced"}};
  });
  if (!made) return Unexpected{made.error().message};
  auto database = Database::open(path_, false);
  if (!database) return Unexpected{database.error().text};
  ready = configure(*database);
  if (!ready) return Unexpected{ready.error().text};
  const auto seal = read_seal(*database);
  if (!seal) return Unexpected{seal.error().text};
  return connect(std::move(*database), *seal);
}

BackupCopy::Step BackupCopy::connect(Database database, const Seal& seal) {
  auto tables = Tables::prepare(database, seal);
  if (!tables) return Unexpected{tables.error().text};
  connection_.emplace(Connection{std::move(database), std::move(*tables)});
  commits_.store(seal.commits, std::memory_order_relaxed);
  state_ = State::Good;
  return Done{};
}

BackupCopy::Step BackupCopy::apply() {
  std::deque<Committed> group;
  {
    const std::lock_guard guard(mutex_);
    group = std::exchange(pending_, {});
    pending_size_ = 0;
  }
  auto done = write(group);
  if (done) return Done{};
  connection_->tables.roll_back();
  if (done.error().is_damage() || connection_->database.file_is_gone()) state_ = State::Stale;
  // Given again in front of what came meanwhile.
  const std::lock_guard guard(mutex_);
  for (auto one = group.rbegin(); one != group.rend(); ++one) {
    pending_size_ += one->changes.size();
    pending_.push_front(std::move(*one));
  }
  return Unexpected{done.error().text};
}

// One transaction for all that the copy does not have yet.
SqliteResult<Done> BackupCopy::write(const std::deque<Committed>& group) {
  Tables& tables = connection_->tables;
  if (connection_->database.file_is_gone()) {
    return Unexpected{SqliteError{SQLITE_READONLY_DBMOVED, "it was removed or replaced"}};
  }
  const std::uint64_t had = tables.seal().commits;
  if (group.empty() || group.back().seal.commits <= had) return Done{};
  auto done = tables.begin();
  for (const Committed& committed : group) {
    if (committed.seal.commits <= had) continue;  // when it was made, they were there
    for (std::size_t i = 0; done && i < committed.changes.size(); ++i) {
      done = tables.apply(committed.changes[i]);
    }
  }
  const Seal& last = group.back().seal;
  if (done) done = tables.commit(last.commits, last.at);
  if (!done) return done;
  if (tables.seal().rows != last.rows || tables.seal().sum != last.sum) {
    return Unexpected{SqliteError{SQLITE_CORRUPT, "it is not what sluice.db is"}};
  }
  commits_.store(last.commits, std::memory_order_relaxed);
  return Done{};
}

}  // namespace sluice::health
