#include "health/api/all_figures.h"

namespace sluice::health {
namespace {

constexpr std::size_t kFiguresAtOnce = 500;  // pools: half a millisecond, with a few servers each

}  // namespace

void AllFigures::next_portion() {
  control_([self = shared_from_this()](Authority& authority) {
    if (authority.add_figures(*self->figures_, kFiguresAtOnce)) {
      self->counted_(authority, self->figures_);
    } else {
      self->next_portion();
    }
  });
}

}  // namespace sluice::health
