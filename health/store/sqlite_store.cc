#include "health/store/sqlite_store.h"

#include <algorithm>
#include <chrono>

#include <pthread.h>

#include "health/store/schema.h"

namespace sluice::health {
namespace {

// Requests of one transaction. A sync costs as much as some hundred rows; more in one group would
// only make the first of them wait for the last.
constexpr std::size_t kMaxFirst = 1'024;
// Nobody waits for these, but somebody may come First while they are written.
constexpr std::size_t kMaxBehind = 128;

}  // namespace

base::Checked<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& directory,
                                                              Post post, StoredState& state) {
  auto made = make_directory(directory);
  if (!made) return base::Unexpected{std::move(made).error()};
  auto lock = DirectoryLock::take(directory);
  if (!lock) return base::Unexpected{std::move(lock).error()};
  auto database = open_database(directory);
  if (!database) return base::Unexpected{std::move(database).error()};
  auto stored = Tables::load(*database);
  if (!stored)
    return base::failure(directory + "/sluice.db: can't be read: " + stored.error().text);
  auto tables = Tables::prepare(*database);
  if (!tables) return base::failure(directory + "/sluice.db: " + tables.error().text);
  state = std::move(*stored);
  return std::unique_ptr<SqliteStore>(
      new SqliteStore(std::move(*lock), std::move(*database), std::move(*tables), std::move(post)));
}

SqliteStore::SqliteStore(DirectoryLock lock, Database database, Tables tables, Post post)
    : lock_(std::move(lock)),
      database_(std::move(database)),
      tables_(std::move(tables)),
      post_(std::move(post)),
      thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "store");
}

SqliteStore::~SqliteStore() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void SqliteStore::commit(std::vector<Change> changes, Urgency urgency,
                         std::function<void(Stored)> done) {
  {
    const std::lock_guard guard(mutex_);
    auto& queue = urgency == Urgency::First ? first_ : behind_;
    queue.push_back({std::move(changes), std::move(done)});
  }
  work_.notify_one();
}

void SqliteStore::run() {
  while (true) {
    Group group = next_group();
    if (group.empty()) return;
    commit_group(std::move(group));
  }
}

SqliteStore::Group SqliteStore::next_group() {
  std::unique_lock guard(mutex_);
  work_.wait(guard, [this] { return stopping_ || !first_.empty() || !behind_.empty(); });
  std::deque<Request>& queue = first_.empty() ? behind_ : first_;
  const std::size_t size = std::min(queue.size(), first_.empty() ? kMaxBehind : kMaxFirst);
  const auto end = queue.begin() + static_cast<std::ptrdiff_t>(size);
  Group group(std::make_move_iterator(queue.begin()), std::make_move_iterator(end));
  queue.erase(queue.begin(), end);
  return group;
}

void SqliteStore::commit_group(Group group) {
  SqliteResult<base::Done> outcome = transact(group.data(), group.size());
  // One bad change must not fail its neighbours: each on its own then. When the store as a whole
  // fails, that would only make everybody wait for the same answer.
  const bool one_by_one = !outcome && !outcome.error().of_the_store() && group.size() > 1;

  std::vector<std::pair<std::function<void(Stored)>, Stored>> replies;
  for (const Request& request : group) {
    if (one_by_one) outcome = transact(&request, 1);
    if (!request.done) continue;
    replies.emplace_back(request.done, outcome ? Stored(base::Done{})
                                               : Stored(base::Unexpected{outcome.error().text}));
  }
  if (replies.empty()) return;
  post_([replies = std::move(replies)] {
    for (const auto& [done, stored] : replies) done(stored);
  });
}

SqliteResult<base::Done> SqliteStore::transact(const Request* first, std::size_t count) {
  // Commits into a file that has no name any more would be acknowledged and lost.
  if (database_.file_is_gone()) {
    return base::Unexpected{
        SqliteError{SQLITE_READONLY_DBMOVED, "the database file was removed or replaced"}};
  }
  const auto begin = std::chrono::steady_clock::now();
  auto done = write(first, count);
  if (done) {
    commit_seconds_.observe(std::chrono::steady_clock::now() - begin);
  } else if (database_.in_transaction()) {
    [[maybe_unused]] const auto ended = database_.execute("ROLLBACK");
  }
  return done;
}

SqliteResult<base::Done> SqliteStore::write(const Request* first, std::size_t count) {
  auto done = database_.execute("BEGIN IMMEDIATE");
  for (std::size_t i = 0; done && i < count; ++i) {
    for (const Change& change : first[i].changes) {
      done = tables_.apply(change);
      if (!done) return done;
    }
  }
  if (done) done = database_.execute("COMMIT");
  return done;
}

}  // namespace sluice::health
