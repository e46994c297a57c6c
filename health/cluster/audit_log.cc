#include "health/cluster/audit_log.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "health/cluster/records.h"

namespace sluice::cluster {
namespace {

constexpr std::size_t kMostWaiting = 1'000;

}  // namespace

AuditLog::AuditLog(Kv& kv, std::string run, std::function<void(const std::string&)> notice)
    : kv_(kv), run_(std::move(run)), notice_(std::move(notice)) {}

void AuditLog::append(const health::AppendAudit& entry) {
  auto write = write_of(health::Change(entry), run_ + "-" + std::to_string(++number_));
  if (write) waiting_.push_back(*std::move(write));
  if (!writing_) bound();
}

void AuditLog::bound() {
  if (waiting_.size() <= kMostWaiting) return;
  waiting_.erase(waiting_.begin(), waiting_.end() - static_cast<std::ptrdiff_t>(kMostWaiting));
}

void AuditLog::flush() {
  if (writing_ || waiting_.empty()) return;
  writing_ = true;
  Transaction transaction;
  const std::size_t count = std::min(waiting_.size(), Transaction::kMostWrites);
  transaction.writes.assign(waiting_.begin(),
                            waiting_.begin() + static_cast<std::ptrdiff_t>(count));
  kv_.commit(std::move(transaction),
             [weak = std::weak_ptr(self_), count](const Reply<Committed>& reply) {
               if (const auto self = weak.lock()) (*self)->on_written(count, reply);
             });
}

void AuditLog::on_written(std::size_t count, const Reply<Committed>& reply) {
  writing_ = false;
  // A user of the engine's without rights to these keys is nothing that time mends.
  const bool refused = !reply && reply.error().kind == Failure::Kind::Refused;
  if (refused && !refused_) {
    notice_("the audit can't be written: " + reply.error().text + "; history lacks it");
  }
  if (refused || reply) refused_ = refused;
  if (reply)
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
  bound();
  if (reply) flush();
}

std::vector<std::string> to_prune(const std::vector<Change>& entries,
                                  const health::PruneAudit& prune) {
  // By time, whatever the server.
  std::vector<std::pair<std::string_view, const std::string*>> by_time;
  for (const Change& entry : entries) {
    const std::size_t slash = entry.key.rfind('/');
    by_time.emplace_back(std::string_view(entry.key).substr(slash + 1), &entry.key);
  }
  std::ranges::sort(by_time);
  std::string before = std::to_string(prune.before.time_since_epoch().count());
  constexpr std::size_t kDigits = 15;  // as in the keys
  before.insert(0, kDigits - std::min(kDigits, before.size()), '0');
  const std::size_t too_many = by_time.size() > prune.most ? by_time.size() - prune.most : 0;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < by_time.size(); ++i) {
    if (i >= too_many && by_time[i].first >= before) break;
    keys.push_back(*by_time[i].second);
  }
  std::ranges::reverse(keys);
  return keys;
}

void AuditLog::prune(const health::PruneAudit& prune) {
  kv_.list("audit/", [weak = std::weak_ptr(self_), prune](const Reply<Listing>& reply) {
    const auto self = weak.lock();
    if (self && reply) (*self)->erase(to_prune(reply->entries, prune));
  });
}

// From the end, a transaction after the other.
void AuditLog::erase(std::vector<std::string> keys) {
  if (keys.empty()) return;
  Transaction transaction;
  while (!keys.empty() && transaction.writes.size() < Transaction::kMostWrites) {
    transaction.writes.push_back({std::move(keys.back()), std::nullopt, 0});
    keys.pop_back();
  }
  kv_.commit(std::move(transaction), [weak = std::weak_ptr(self_), keys = std::move(keys)](
                                         const Reply<Committed>& reply) mutable {
    const auto self = weak.lock();
    if (self && reply) (*self)->erase(std::move(keys));
  });
}

void AuditLog::history(const std::string& server, std::size_t limit,
                       std::function<void(History)> done) const {
  kv_.newest(audit_prefix(server), limit, [done = std::move(done)](const Reply<Listing>& reply) {
    if (!reply) return done(base::Unexpected{reply.error().text});
    std::vector<health::Event> events;
    for (const Change& entry : reply->entries) {
      const auto record = read_record(entry);
      if (!record) continue;
      const auto* change = std::get_if<health::Change>(&*record);
      const auto* audit = change == nullptr ? nullptr : std::get_if<health::AppendAudit>(change);
      if (audit != nullptr) events.push_back(audit->event);
    }
    done(std::move(events));
  });
}

}  // namespace sluice::cluster
