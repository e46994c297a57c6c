#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/base/result.h"
#include "health/cluster/kv.h"
#include "health/event.h"
#include "health/store.h"

namespace sluice::cluster {

// The responders' common audit, beside what they share (Kv's `audit/…`). An entry has a key of its
// own and needs no turn: until it is known to be written it is tried, with up to a thousand others;
// of more the oldest are lost. Control thread only.
class AuditLog {
 public:
  // `kv` must outlive it. `run`: tells this process's entries from all others'; `notice`: a
  // sentence for the log.
  AuditLog(Kv& kv, std::string run, std::function<void(const std::string&)> notice);

  void append(const health::AppendAudit& entry);
  bool empty() const noexcept { return waiting_.empty(); }
  // Writes what waits; what fails waits for the next call.
  void flush();

  // Deletes what is too old, and the oldest of what is too much. What fails is found again the next
  // time.
  void prune(const health::PruneAudit& prune);

  // The newest entries about a server (FQDN), oldest first; or why not, in words.
  using History = base::Result<std::vector<health::Event>, std::string>;
  void history(const std::string& server, std::size_t limit,
               std::function<void(History)> done) const;

 private:
  void on_written(std::size_t count, const Reply<Committed>& reply);
  void bound();
  void erase(std::vector<std::string> keys);

  Kv& kv_;
  std::string run_;
  std::function<void(const std::string&)> notice_;
  std::uint64_t number_ = 0;  // of its entries
  std::vector<Write> waiting_;
  bool writing_ = false;
  bool refused_ = false;
  // Callbacks hold it weakly.
  std::shared_ptr<AuditLog*> self_ = std::make_shared<AuditLog*>(this);
};

// Of these keys (audit/SERVER/TIME-UNIQUE) those to be deleted, the newest first.
std::vector<std::string> to_prune(const std::vector<Change>& entries,
                                  const health::PruneAudit& prune);

}  // namespace sluice::cluster
