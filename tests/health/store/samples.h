#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "config/base/clock.h"
#include "health/hold.h"
#include "health/schedule.h"
#include "health/store.h"

// What stores are filled with.
namespace sluice::health::testing {

using base::Duration;
using base::WallTime;

inline Hold plain_hold(std::string server) {
  Hold hold;
  hold.key = {std::move(server), "", Origin::Operator};
  hold.by = "operations";
  hold.since = WallTime(Duration(1'795'168'830'250));
  return hold;
}

// Nothing in it is left out.
inline Hold full_hold() {
  Hold hold = plain_hold("fe02.pool01.contoso.example");
  hold.key.service = "front-end";
  hold.key.origin = Origin::Host;
  hold.reason = std::string("péch \"';--\n\0x", 13);
  hold.startup = config::Startup::Manual;
  hold.forced = true;
  hold.hide_host = true;
  hold.expiry = Expiry{17, WallTime(Duration(1'795'168'930'000)), Then::Alarm, true};
  hold.instances = {{"front-end", "unit-1"}, {"call-park", "unit-2"}};
  hold.released = {"attendant", "call-park"};
  hold.horizons = {{"front-end",
                    {WallTime(Duration(1'795'168'862'000)), base::MonoTime(std::chrono::hours(100)),
                     0x8000'0000'0000'0007}}};
  return hold;
}

inline PlannedDrain full_plan() {
  PlannedDrain plan;
  plan.id = 18;
  plan.server = "fe03.pool01.contoso.example";
  plan.service = "call-park";
  plan.at = WallTime(Duration(1'795'172'430'000));
  plan.by = "operations";
  plan.reason = "new memory";
  plan.startup = config::Startup::Manual;
  plan.hide_host = true;
  plan.force = true;
  plan.expires = WallTime(Duration(1'795'176'030'000));
  plan.then = Then::Alarm;
  plan.created = WallTime(Duration(1'795'168'830'250));
  plan.capped_since = base::Moment{WallTime(Duration(1'795'168'830'300)),
                                   base::MonoTime(std::chrono::hours(99)), 7};
  return plan;
}

// The commit of that number in the history of a store that is to be damaged: of every kind of row
// something, so that damage finds each, and generation 1,024 times the number.
inline std::vector<Change> commit_of_history(int number) {
  using namespace std::chrono_literals;
  Hold hold = number % 3 == 0 ? full_hold() : plain_hold("fe" + std::to_string(number % 5));
  hold.reason = "reason " + std::to_string(number);
  PlannedDrain plan = full_plan();
  plan.id = static_cast<ScheduleId>(number % 4);
  Event event;
  event.server = hold.key.server;
  event.text = hold.reason;
  std::vector<Change> changes{PutHold{hold}, AppendAudit{event},
                              ReserveGenerations{1'024 * static_cast<std::uint64_t>(number)},
                              PutSchedule{plan}};
  if (number % 5 == 4) changes.emplace_back(EraseHold{hold.key});
  changes.emplace_back(PutHealth{hold.key.server, "front-end", Health::Down});
  changes.emplace_back(PutForce{hold.key.server, "call-park", Health::Up, hold.reason, {}});
  changes.emplace_back(PutPoolTtl{"pool" + std::to_string(number % 2), 30s, {hold.since, {}, 0}});
  changes.emplace_back(PutSerialBase{"zone", static_cast<std::uint32_t>(number)});
  return changes;
}

}  // namespace sluice::health::testing
