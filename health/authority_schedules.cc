// Drains that are planned, and holds that end by themselves (semantics.md section 7).

#include "health/authority_state.h"

namespace sluice::health {

void Authority::State::plan(const PlanRequest&, const Actor&, Reply<ScheduleView>) {}
void Authority::State::cancel(ScheduleId, const Actor&, Reply<ScheduleView>) {}
std::vector<ScheduleView> Authority::State::schedules() const {
  return {};
}

}  // namespace sluice::health
