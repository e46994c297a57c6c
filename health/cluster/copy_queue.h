#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "health/cluster/kv.h"

namespace sluice::cluster {

// What the watch brought and the copy does not have yet, in order. A copy that ends amid an edition
// would answer what nobody has confirmed: it is written up to the last one that is complete.
// Control thread only.
class CopyQueue {
 public:
  enum class Part : std::uint8_t {
    Decided,  // belongs to the edition that follows
    Edition,  // is one, and ends what belongs to it
    Other,    // beats and reports: no edition's
  };
  struct Batch {
    std::int64_t revision = 0;  // as of which the copy is then
    std::vector<Change> changes;
  };

  void add(Change change, Part part) {
    changes_.push_back(std::move(change));
    if (part == Part::Decided) open_ = true;
    if (part == Part::Edition) {
      open_ = false;
      urgent_ = true;
    }
    if (!open_) ready_ = changes_.size();
  }
  // A complete edition is in it, whose confirmation waits for the copy.
  bool urgent() const noexcept { return urgent_; }
  // All that can be written, if there is any.
  std::optional<Batch> take() {
    if (ready_ == 0) return std::nullopt;
    const auto end = changes_.begin() + static_cast<std::ptrdiff_t>(ready_);
    Batch batch;
    batch.revision = changes_[ready_ - 1].revision;
    batch.changes.assign(std::make_move_iterator(changes_.begin()), std::make_move_iterator(end));
    changes_.erase(changes_.begin(), end);
    ready_ = 0;
    urgent_ = false;
    return batch;
  }
  void clear() { *this = {}; }

 private:
  std::vector<Change> changes_;
  std::size_t ready_ = 0;  // so many of the first can be written
  bool open_ = false;      // an edition is to come
  bool urgent_ = false;
};

}  // namespace sluice::cluster
