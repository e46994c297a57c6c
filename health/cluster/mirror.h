#pragma once

#include <map>
#include <string>
#include <vector>

#include "health/cluster/kv.h"

namespace sluice::cluster {

// What is decided, as the engine has it as of what was last brought: keys and values in their
// order. By it a responder whose own decisions came to nothing returns to the others' without a
// listing. Control thread only.
class Mirror {
 public:
  void clear() { entries_.clear(); }
  // The newest change of this key; a deletion removes it.
  void take(const Change& change) {
    if (change.value) {
      entries_.insert_or_assign(change.key, change);
    } else {
      entries_.erase(change.key);
    }
  }
  std::vector<Change> entries() const {
    std::vector<Change> all;
    all.reserve(entries_.size());
    for (const auto& [key, change] : entries_) all.push_back(change);
    return all;
  }

 private:
  std::map<std::string, Change> entries_;
};

}  // namespace sluice::cluster
