#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/base/clock.h"
#include "tools/sluicectl/api/answers.h"
#include "tools/sluicectl/render/surface.h"

// How what the authority says is put into words, in one place: tables, sentences and progress lines
// say the same thing in the same way.
namespace sluice::ctl {

// In the user's time zone: "10:00:30", with the date before it when that is not today's.
// A sentence of the authority's, whose times are in UTC, with local ones.
std::string with_local_times(std::string_view text, base::WallTime now);
std::string local_time(base::WallTime time, base::WallTime now);

// "calls=3 registrations=12"; "none" where there is nothing to count; "unknown".
std::string sessions_words(const Service& service);

// Where there is little room: "12" of one counter, "call=3 regi=12" of several.
std::string short_sessions_words(const Service& service);

// "-" (in answers, or never named), "in 28s", "clear".
std::string horizon_words(const Service& service, base::WallTime now);

// "server by operations: patch; service by root (host)"; empty: no hold.
std::string holds_words(const Service& service, base::WallTime now);
// Where there is little room, whose and why: "operations [manual]: patch; root".
std::string short_holds_words(const Service& service);
std::string hold_words(const Hold& hold, base::WallTime now);

// "until 14:00:00, then lifted"; "until 14:00:00, then an alarm"; empty: it ends by nobody but an
// operator. Of an alarmed hold: "over since 14:00:00".
std::string expiry_words(const Hold& hold, base::WallTime now);

// What a restart of the service does: "manual", "manual (hold)" where a hold decides otherwise.
std::string startup_words(const Service& service);

// The status with what is special about it: "forced down (agent: up)", "draining (checks fail)".
std::string status_words(const Service& service, const Server& server);
// Where there is little room: "forced up", "guarded", else the status.
std::string short_status_words(const Service& service, const Server& server);
Tone tone_of(const Service& service);

// As a service console has it: Running, Paused, Stopped, Unknown.
std::string console_state(const Service& service);

// One reason against a verdict, its time as a countdown: "caches clear in 28 s (10:00:30)".
std::string reason_words(const Reason& reason, base::WallTime now);

// What a wait still waits for, in one line. `countdown` false: without what
// changes by itself, for comparing.
std::string waiting_words(const Verdict& verdict, base::WallTime now, bool countdown);
// Where there is little room: "15 connections left; caches clear in 18 s": sums over the services,
// and no clock times.
std::string brief_waiting_words(const Verdict& verdict, const std::vector<const Service*>& services,
                                base::WallTime now);

// When caches are clear: "caches clear in 32 s (10:00:30)"; "caches are clear".
std::string caches_words(base::WallTime horizon, base::WallTime now);

// "leaves the answers 13:59:28, no cache names it at 14:00:00 (schedule 7)"; of an expiry empty:
// the hold says it.
std::string plan_words(const Schedule& schedule, base::WallTime now);

// An owner name within its pool: "@" for the pool's own, "attendant", "_sip._tcp".
std::string relative_name(std::string_view owner, std::string_view pool);

// The first labels of servers, where these tell them apart; else the names.
std::vector<std::string> short_names(const std::vector<std::string>& servers);

// "front-end on fe02.pool01.contoso.example", or the server alone.
std::string subject_words(std::string_view server, std::string_view service);

}  // namespace sluice::ctl
