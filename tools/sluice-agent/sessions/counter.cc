#include "tools/sluice-agent/sessions/counter.h"

#include <utility>

namespace sluice::agent {

void Counter::tell(base::Checked<std::uint64_t> count, base::MonoTime begun) {
  failure_.clear();
  if (!count) {
    count_.reset();
    failure_ = count.error().message;
    return;
  }
  if (count_ && *count > *count_) newest_ = begun;
  count_ = *count;
}

}  // namespace sluice::agent
