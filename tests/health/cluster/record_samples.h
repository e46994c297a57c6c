#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "health/cluster/records.h"

// Records in which nothing is left out, for those who write and read them.
namespace sluice::cluster::testing {

inline base::WallTime wall(std::int64_t milliseconds) {
  return base::WallTime(base::Duration(milliseconds));
}
inline constexpr std::int64_t kNoon = 1'795'168'830'250;  // 2026-11-20T10:00:30.250Z

inline health::Hold plain_hold(std::string server) {
  health::Hold hold;
  hold.key = {std::move(server), "", health::Origin::Operator};
  hold.since = wall(kNoon);
  return hold;
}

inline health::Hold full_hold() {
  health::Hold hold;
  hold.key = {"fe02.pool01.contoso.example", "front-end", health::Origin::Host};
  hold.by = "operations";
  hold.reason = "péch \"';--\n";
  hold.since = wall(kNoon);
  hold.startup = config::Startup::Manual;
  hold.forced = true;
  hold.hide_host = true;
  hold.expiry = health::Expiry{17, wall(kNoon + 100'000), health::Then::Alarm, true};
  hold.instances = {{"front-end", "unit-1"}, {"call-park", "unit-2"}};
  hold.released = {"attendant", "call-park"};
  return hold;
}

inline health::PlannedDrain full_plan() {
  health::PlannedDrain plan;
  plan.id = 18;
  plan.server = "fe03.pool01.contoso.example";
  plan.service = "call-park";
  plan.at = wall(kNoon + 3'600'000);
  plan.by = "operations";
  plan.reason = "new memory";
  plan.startup = config::Startup::Automatic;
  plan.hide_host = true;
  plan.force = true;
  plan.expires = wall(kNoon + 7'200'000);
  plan.then = health::Then::Alarm;
  plan.created = wall(kNoon);
  return plan;
}

inline health::SharedPool full_pool() {
  health::SharedSet first;
  first.service = "front-end";
  first.generation = 7;
  first.since = wall(kNoon);
  first.servers = {"fe02.pool01.contoso.example", "fe01.pool01.contoso.example"};
  first.slow_starts = {{"fe02.pool01.contoso.example", 9}, {"fe01.pool01.contoso.example", 1}};
  health::SharedSet second;
  second.service = "call-park";
  second.generation = 9;
  second.fallback = health::Fallback::NoData;
  second.since = wall(kNoon + 1);
  return {"pool01.contoso.example",
          {first, second},
          {{"fe03.pool01.contoso.example", wall(kNoon + 600'000)}}};
}

inline health::AgentReport full_report() {
  health::ReportedService front_end;
  front_end.health = health::Health::Down;
  front_end.instance = "boot/unit-1";
  front_end.sessions = health::Sessions{{"calls", 12}, {"registrations", 0}};
  front_end.counted_since_horizon = true;
  front_end.connected_since_horizon = true;
  front_end.hook = health::HookOutcome{"failed", "exit code 3"};
  health::ReportedService call_park;
  call_park.sessions.emplace();
  health::AgentReport report;
  report.server = "fe01.pool01.contoso.example";
  report.responder = "ns1";
  report.run = "00112233445566aa";
  report.boot = "boot";
  report.seq = 5'123'456'789;
  report.current = true;
  report.services = {{"front-end", front_end}, {"call-park", call_park}, {"attendant", {}}};
  return report;
}

inline health::Event full_event() {
  health::Event event;
  event.at = wall(kNoon);
  event.type = health::EventType::Refusal;
  event.server = "fe01.pool01.contoso.example";
  event.service = "front-end";
  event.by = "operations";
  event.origin = "127.0.0.1";
  event.text = "2 would be left, 3 are needed";
  event.generation = 7;
  event.rule = "floor";
  event.answer_set = "pool01.contoso.example front-end";
  event.numbers = {{"accepting", 2}, {"min_accepting", 3}};
  return event;
}

inline ResponderRecord full_responder() {
  return {"ns1",
          "00112233445566aa",
          wall(kNoon),
          {"192.0.2.1@53", "2001:db8::1@53"},
          {"127.0.0.1@8053"},
          "0.1.0",
          "0123456789abcdef"};
}

}  // namespace sluice::cluster::testing
