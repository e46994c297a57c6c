#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace sluice::agent {

enum class CheckStatus : std::uint8_t { Unknown, Up, Down };
enum class Transition : std::uint8_t { Unchanged, Pending, Changed };

// How many results in a row turn a status; 1..20 each.
struct Thresholds {
  unsigned rise = 2;
  unsigned fall = 3;
};

// What the results of one check say. Pure: no clock, no input or output.
class CheckState {
 public:
  explicit CheckState(Thresholds thresholds) : thresholds_(thresholds) {}

  // The first result ever is taken at its word: nothing better is known.
  Transition apply(bool passed) noexcept;

  CheckStatus status() const noexcept { return status_; }

 private:
  Thresholds thresholds_;
  CheckStatus status_ = CheckStatus::Unknown;
  unsigned streak_ = 0;  // results in a row that disagree with status_
};

// Of several checks: up when all are up; down as soon as one is; otherwise unknown. Without any
// check nothing is known.
CheckStatus combine(std::span<const CheckStatus> checks) noexcept;

}  // namespace sluice::agent
