#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/base/error.h"
#include "health/store/sqlite_store.h"

namespace sluice::ctl {

// The embedded store of a directory, for as long as it lives; each call returns with the answer.
class Embedded {
 public:
  // Whether there is one, or its last good copy.
  static bool is_there(const std::string& directory);
  // Made when it is missing. Refused while a sluiced has the directory.
  static base::Checked<Embedded> open(const std::string& directory);

  const health::StoredState& state() const noexcept { return state_; }
  // What the authority's log would say of how it was opened.
  const std::vector<std::string>& notices() const noexcept { return *notices_; }

  base::Result<health::RecentAudit, std::string> audit(std::size_t limit);
  // All or nothing, durably.
  health::Store::Stored commit(std::vector<health::Change> changes);

 private:
  explicit Embedded(std::shared_ptr<std::vector<std::string>> notices)
      : notices_(std::move(notices)) {}

  health::StoredState state_;
  std::shared_ptr<std::vector<std::string>> notices_;
  std::unique_ptr<health::SqliteStore> store_;
};

}  // namespace sluice::ctl
