#include "tools/sluiced/store_seat.h"

#include <utility>

namespace sluice {

void StoreSeat::commit(std::vector<health::Change> changes, Urgency urgency,
                       std::function<void(Stored)> done) {
  if (store_) return store_->commit(std::move(changes), urgency, std::move(done));
  if (shared_ != nullptr) return shared_->commit(std::move(changes), urgency, std::move(done));
  waiting_.push_back({std::move(changes), urgency, std::move(done)});
}

const health::Histogram& StoreSeat::commit_seconds() const noexcept {
  if (shared_ != nullptr) return shared_->commit_seconds();
  return store_ ? store_->commit_seconds() : none_;
}

void StoreSeat::take(std::unique_ptr<health::SqliteStore> store) {
  store_ = std::move(store);
  pass_on(*store_);
}

void StoreSeat::take(health::Store& shared) {
  shared_ = &shared;
  pass_on(shared);
}

void StoreSeat::pass_on(health::Store& store) {
  for (Commit& commit : std::exchange(waiting_, {})) {
    store.commit(std::move(commit.changes), commit.urgency, std::move(commit.done));
  }
}

void StoreSeat::vacate() {
  store_.reset();
  shared_ = nullptr;
}

}  // namespace sluice
