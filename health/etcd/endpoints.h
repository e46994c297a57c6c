#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "config/base/clock.h"

// Which of etcd's members is asked next, and when again after one that failed. Pure.
namespace sluice::etcd {

// The pause after the `failures`th failure in a row (1: the first): 50 ms, doubled up to 2 s, cut
// by a random half (`random`: 0 to below 1), so that those who lost one member at the same moment
// do not all come back at the same moment.
base::Duration backoff(unsigned failures, double random);

// Stays with the member that answers. One that failed is left alone for its pause; when all are in
// theirs, the one whose pause ends first is asked: people wait for the answer.
class Endpoints {
 public:
  using Random = std::function<double()>;

  // `count`: at least one. The first is asked first.
  Endpoints(std::size_t count, Random random);

  std::size_t count() const noexcept { return members_.size(); }
  // Among those that are not `tried` (as many as count()); nothing when all are.
  std::optional<std::size_t> choose(base::MonoTime now, const std::vector<bool>& tried) const;
  void failed(std::size_t member, base::MonoTime now);
  void answered(std::size_t member);

 private:
  struct Member {
    unsigned failures = 0;  // in a row
    base::MonoTime rests_until;
  };

  std::vector<Member> members_;
  std::size_t preferred_ = 0;
  Random random_;
};

}  // namespace sluice::etcd
