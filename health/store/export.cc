#include "health/store/export.h"

#include <utility>

#include <pthread.h>

#include "health/store/checked_table.h"
#include "health/store/store_file.h"
#include "health/store/table_shapes.h"
#include "health/store/tables.h"

namespace sluice::health {
namespace {

using base::Unexpected;

// It says so itself, for the day when it is put in place of a store that has gone on since.
SqliteResult<base::Done> mark(Database& database, Seal seal) {
  auto table = CheckedTable::prepare(database, kSealShape);
  if (!table) return Unexpected{std::move(table).error()};
  seal.exported = true;
  return write_seal(*table, seal);
}

}  // namespace

Exports::Exports(std::string database_path)
    : path_(std::move(database_path)), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "store-export");
}

Exports::~Exports() {
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void Exports::add(Done done) {
  {
    const std::lock_guard guard(mutex_);
    waiting_.push_back(std::move(done));
  }
  work_.notify_one();
}

bool Exports::ending() {
  const std::lock_guard guard(mutex_);
  return ending_;
}

void Exports::run() {
  while (true) {
    std::unique_lock guard(mutex_);
    work_.wait(guard, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const Done done = std::move(waiting_.front());
    waiting_.pop_front();
    guard.unlock();
    auto octets = make();
    if (octets) {
      done(std::move(*octets));
    } else {
      done(Unexpected{std::move(octets).error().text});
    }
  }
}

SqliteResult<std::string> Exports::make() {
  auto source = Database::open(path_, false);
  if (!source) return Unexpected{std::move(source).error()};
  auto ready = configure(*source);
  if (!ready) return Unexpected{std::move(ready).error()};
  auto copy = Database::open(":memory:", true);
  if (!copy) return Unexpected{std::move(copy).error()};
  auto copied = source->copy_to(*copy, [this] { return !ending(); });
  if (!copied) return Unexpected{std::move(copied).error()};
  // A backup that can't be restored is found out when it is taken.
  auto content = load_tables(*copy);
  if (!content) return Unexpected{std::move(content).error()};
  auto marked = mark(*copy, content->seal);
  if (!marked) return Unexpected{std::move(marked).error()};
  return copy->octets();
}

}  // namespace sluice::health
