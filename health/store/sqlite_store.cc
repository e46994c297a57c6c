#include "health/store/sqlite_store.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>
#include <variant>

#include <pthread.h>

#include "health/store/recovery.h"
#include "health/store/superseded.h"

namespace sluice::health {
namespace {

// Requests of one transaction. A sync costs as much as some hundred rows; more in one group would
// only make the first of them wait for the last.
constexpr std::size_t kMaxFirst = 1'024;
// Nobody waits for these, but somebody may come First while they are written.
constexpr std::size_t kMaxBehind = 128;

base::WallTime wall_now() {
  return base::SystemClock().now().wall;
}

}  // namespace

base::Checked<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& directory,
                                                              Post post, Notice notice,
                                                              StoredState& state) {
  auto made = make_directory(directory);
  if (!made) return base::Unexpected{std::move(made).error()};
  auto lock = DirectoryLock::take(directory);
  if (!lock) return base::Unexpected{std::move(lock).error()};
  auto opened = open_store(directory, wall_now());
  if (!opened) return base::Unexpected{std::move(opened).error()};
  for (const std::string& sentence : opened->notices) notice(sentence);
  state = std::move(opened->state);
  const auto notice_later = [post, notice](std::string sentence) {
    post([notice, sentence = std::move(sentence)] { notice(sentence); });
  };
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(*lock), std::move(*opened),
                                                      std::move(post), notice_later, directory));
}

SqliteStore::SqliteStore(DirectoryLock lock, OpenedStore opened, Post post,
                         BackupCopy::Notice notice, const std::string& directory)
    : lock_(std::move(lock)),
      database_(std::move(opened.database)),
      tables_(std::move(opened.tables)),
      post_(std::move(post)),
      commits_(tables_.seal().commits),
      copy_(directory, tables_.seal(), opened.copy_is_current, std::move(notice)),
      exports_(database_path(directory)),
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
    Request request{std::move(changes), std::move(done), {}};
    if (urgency == Urgency::First) {
      first_.push_back(std::move(request));
    } else {
      keep_behind(std::move(request));
    }
  }
  work_.notify_one();
}

// With the lock held. Whoever waits for a request is answered, though another one has made its
// changes void.
void SqliteStore::keep_behind(Request request) {
  if (behind_.empty()) {
    behind_changes_ = 0;
    compact_at_ = kCompactAt;
  }
  behind_changes_ += request.changes.size();
  behind_.push_back(std::move(request));
  if (behind_changes_ < compact_at_) return;
  KeptChanges kept;
  for (Request& waiting : behind_) {
    if (!waiting.read) kept.push_back(&waiting.changes);
  }
  behind_changes_ = drop_superseded(kept, kMostAudit);
  std::erase_if(behind_, [](const Request& waiting) {
    return waiting.changes.empty() && !waiting.done && !waiting.read;
  });
  // So many can't be made void: with twice as many it is worth the next look.
  compact_at_ = std::max(kCompactAt, 2 * behind_changes_);
}

void SqliteStore::history(std::string server, std::size_t limit,
                          std::function<void(History)> done) {
  Request request;
  request.read = [this, server = std::move(server), limit,
                  done = std::move(done)](AuditTable& audit) {
    auto events = audit.history(server, limit);
    post_([done, history = events ? History(std::move(*events))
                                  : History(base::Unexpected{std::move(events).error().text})] {
      done(history);
    });
  };
  {
    const std::lock_guard guard(mutex_);
    behind_.push_back(std::move(request));
  }
  work_.notify_one();
}

void SqliteStore::recent_audit(std::size_t limit, std::function<void(Recent)> done) {
  Request request;
  request.read = [this, limit, done = std::move(done)](AuditTable& audit) {
    auto recent = audit.recent(limit);
    post_([done, recent = recent ? Recent(std::move(*recent))
                                 : Recent(base::Unexpected{std::move(recent).error().text})] {
      done(recent);
    });
  };
  {
    const std::lock_guard guard(mutex_);
    behind_.push_back(std::move(request));
  }
  work_.notify_one();
}

void SqliteStore::ask(std::function<void()> answer) {
  {
    const std::lock_guard guard(mutex_);
    first_.push_back({{}, {}, [answer = std::move(answer)](AuditTable&) { answer(); }});
  }
  work_.notify_one();
}

void SqliteStore::export_copy(std::function<void(Copy)> done) {
  exports_.add([this, done = std::move(done)](Copy octets) {
    post_([done, octets = std::move(octets)] { done(octets); });
  });
}

std::uint64_t SqliteStore::copy_behind() const noexcept {
  const std::uint64_t copied = copy_.commits();
  const std::uint64_t commits = commits_.load(std::memory_order_relaxed);
  return commits > copied ? commits - copied : 0;
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
  if (queue.empty()) return {};
  const std::size_t most = std::min(queue.size(), first_.empty() ? kMaxBehind : kMaxFirst);
  std::size_t size = 1;
  // What is read stands alone.
  while (!queue.front().read && size < most && !queue[size].read) ++size;
  const auto end = queue.begin() + static_cast<std::ptrdiff_t>(size);
  Group group(std::make_move_iterator(queue.begin()), std::make_move_iterator(end));
  queue.erase(queue.begin(), end);
  return group;
}

void SqliteStore::commit_group(Group group) {
  if (group.front().read) {
    group.front().read(tables_.audit());
    return;
  }
  std::vector<Committed> committed;
  SqliteResult<base::Done> outcome = transact(group.data(), group.size());
  if (outcome) committed.push_back(take(group.data(), group.size()));
  // One bad change must not fail its neighbours: each on its own then. When the store as a whole
  // fails, that would only make everybody wait for the same answer.
  const bool one_by_one = !outcome && !outcome.error().of_the_store() && group.size() > 1;

  std::vector<std::pair<std::function<void(Stored)>, Stored>> replies;
  for (Request& request : group) {
    if (one_by_one) {
      outcome = transact(&request, 1);
      if (outcome) committed.push_back(take(&request, 1));
    }
    if (!request.done) continue;
    replies.emplace_back(request.done, outcome ? Stored(base::Done{})
                                               : Stored(base::Unexpected{outcome.error().text}));
  }
  if (!replies.empty()) {
    post_([replies = std::move(replies)] {
      for (const auto& [done, stored] : replies) done(stored);
    });
  }
  for (Committed& one : committed) copy_.add(std::move(one));
}

Committed SqliteStore::take(Request* first, std::size_t count) {
  Committed committed{{}, tables_.seal()};
  for (std::size_t i = 0; i < count; ++i) {
    prune_on(first[i]);
    auto& changes = first[i].changes;
    committed.changes.insert(committed.changes.end(), std::make_move_iterator(changes.begin()),
                             std::make_move_iterator(changes.end()));
  }
  return committed;
}

void SqliteStore::prune_on(Request& request) {
  if (!tables_.audit().more_to_prune()) return;
  for (const Change& change : request.changes) {
    if (!std::holds_alternative<PruneAudit>(change)) continue;
    const std::lock_guard guard(mutex_);
    if (stopping_) return;  // the next prune goes on
    behind_.push_back({{change}, std::exchange(request.done, {}), {}});
    return;
  }
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
    commits_.store(tables_.seal().commits, std::memory_order_relaxed);
  } else {
    tables_.roll_back();
  }
  return done;
}

SqliteResult<base::Done> SqliteStore::write(const Request* first, std::size_t count) {
  auto done = tables_.begin();
  for (std::size_t i = 0; done && i < count; ++i) {
    for (const Change& change : first[i].changes) {
      done = tables_.apply(change);
      if (!done) return done;
    }
  }
  if (done) done = tables_.commit(tables_.seal().commits + 1, wall_now());
  return done;
}

}  // namespace sluice::health
