#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "config/base/result.h"
#include "health/cluster/kv.h"

namespace sluice::cluster {

// What a responder had of the shared state when it last wrote it down.
struct Kept {
  std::string cluster;        // the cluster's id; empty: there was none
  std::int64_t revision = 0;  // as of which
  std::vector<Change> entries;
  // What is this responder's alone: keys of its own choice.
  std::vector<Change> own;
};

// This responder's own last durable copy, for a start without the engine. Control thread only.
class Copy {
 public:
  using Stored = base::Result<base::Done, std::string>;  // the error: in words

  virtual ~Copy() = default;

  // In the order of the calls. `done` comes when it is durable, or was not to be made so; later
  // calls may succeed then all the same, and have what this one had.
  virtual void keep(std::int64_t revision, std::vector<Change> changes,
                    std::function<void(Stored)> done) = 0;
  // Instead of everything that it has of others.
  virtual void replace(std::string cluster, std::int64_t revision, std::vector<Change> entries,
                       std::function<void(Stored)> done) = 0;
  virtual void keep_own(std::vector<Write> writes, std::function<void(Stored)> done) = 0;
};

}  // namespace sluice::cluster
