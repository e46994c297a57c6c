#include "tools/sluicectl/render/words.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <map>
#include <vector>

#include "config/base/calendar.h"
#include "health/rfc3339.h"
#include "tools/sluicectl/render/duration_words.h"
#include "tools/sluicectl/render/text.h"

namespace sluice::ctl {
namespace {

std::tm local(base::WallTime time) {
  const std::time_t seconds = base::to_time_t(time);
  std::tm fields{};
  localtime_r(&seconds, &fields);
  return fields;
}

bool startup_differs(const Hold& hold, const Service& service) {
  return !hold.startup.empty() && hold.startup != service.startup;
}

}  // namespace

std::string local_time(base::WallTime time, base::WallTime now) {
  const std::tm fields = local(time);
  const std::tm today = local(now);
  const bool same_day = fields.tm_year == today.tm_year && fields.tm_yday == today.tm_yday;
  std::array<char, 64> text{};
  const std::size_t size =
      std::strftime(text.data(), text.size(), same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &fields);
  return {text.data(), size};
}

std::string with_local_times(std::string_view text, base::WallTime now) {
  // As the authority writes them: "2026-11-20T10:00:30Z", with ".250" before the Z or not.
  constexpr std::array<std::size_t, 2> kLengths{20, 24};
  std::string local;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 0;
    for (const std::size_t each : kLengths) {
      const std::string_view word = text.substr(at, each);
      if (word.size() < each || word.back() != 'Z') continue;
      const auto time = health::parse_rfc3339(word);
      if (!time) continue;
      local += local_time(*time, now);
      length = each;
      break;
    }
    if (length == 0) local += text[at];
    at += std::max<std::size_t>(length, 1);
  }
  return local;
}

std::string sessions_words(const Service& service) {
  if (!service.sessions) return "unknown";
  std::string words;
  for (const auto& [counter, count] : *service.sessions) {
    if (!words.empty()) words += ' ';
    words += counter + "=" + std::to_string(count);
  }
  return words.empty() ? "none" : words;
}

std::string short_sessions_words(const Service& service) {
  constexpr std::size_t kLetters = 4;
  if (!service.sessions || service.sessions->empty()) return sessions_words(service);
  if (service.sessions->size() == 1) return std::to_string(service.sessions->front().second);
  std::string words;
  for (const auto& [counter, count] : *service.sessions) {
    if (!words.empty()) words += ' ';
    words += counter.substr(0, kLetters) + "=" + std::to_string(count);
  }
  return words;
}

std::string horizon_words(const Service& service, base::WallTime now) {
  if (service.in_answers || !service.cache_horizon) return "-";
  if (*service.cache_horizon > now) return "in " + compact(*service.cache_horizon - now);
  // Our clock may be ahead of the authority's, whose word counts.
  return service.verdict.reason("horizon") == nullptr ? "clear" : "in 0s";
}

std::string expiry_words(const Hold& hold, base::WallTime now) {
  if (!hold.expires) return {};
  const std::string time = local_time(*hold.expires, now);
  if (hold.alarmed) return "over since " + time;
  return "until " + time + (hold.then == "alarm" ? ", then an alarm" : ", then lifted");
}

std::string plan_words(const Schedule& schedule, base::WallTime now) {
  if (schedule.kind != "drain") return {};
  std::string words;
  if (schedule.leaves_at) {
    words = "leaves the answers " + local_time(*schedule.leaves_at, now) + ", ";
  }
  return words + "no cache names it at " + local_time(schedule.at, now) + " (schedule " +
         schedule.id + ")";
}

std::string hold_words(const Hold& hold, base::WallTime now) {
  std::string words = hold.scope;
  if (!hold.by.empty()) words += " by " + hold.by;
  std::vector<std::string> notes;
  if (hold.origin != "operator") notes.push_back(hold.origin);
  if (hold.forced) notes.emplace_back("forced");
  if (hold.hide_host) notes.emplace_back("host hidden");
  if (hold.local) notes.emplace_back("local");
  if (!notes.empty()) words += " (" + joined(notes, ", ") + ")";
  if (!hold.reason.empty()) words += ": " + hold.reason;
  if (const std::string ends = expiry_words(hold, now); !ends.empty()) words += " [" + ends + "]";
  return words;
}

std::string holds_words(const Service& service, base::WallTime now) {
  std::vector<std::string> all;
  for (const Hold& hold : service.holds) {
    all.push_back(hold_words(hold, now));
    // What a restart does is the hold's to say when it differs from the service's default.
    if (startup_differs(hold, service)) all.back() += " [startup " + hold.startup + "]";
  }
  return joined(all, "; ");
}

std::string short_holds_words(const Service& service) {
  std::vector<std::string> all;
  for (const Hold& hold : service.holds) {
    std::string words = hold.by.empty() ? hold.origin : hold.by;
    // Before the reason, which a narrow terminal may cut.
    if (startup_differs(hold, service)) words += " [" + hold.startup + "]";
    if (hold.local) words += " [local]";
    if (!hold.reason.empty()) words += ": " + hold.reason;
    all.push_back(std::move(words));
  }
  return joined(all, "; ");
}

std::string startup_words(const Service& service) {
  if (service.holds.empty()) return service.startup;
  // A restart releases it from each hold by itself: one that is manual keeps it out.
  const auto of = [&](const Hold& hold) {
    return hold.startup.empty() ? service.startup : hold.startup;
  };
  const bool kept =
      std::ranges::any_of(service.holds, [&](const Hold& hold) { return of(hold) == "manual"; });
  const std::string startup = kept ? "manual" : of(service.holds.front());
  return startup == service.startup ? startup : startup + " (hold)";
}

std::string status_words(const Service& service, const Server& server) {
  std::vector<std::string> notes;
  // What an operator forced decides; the measured health is beside it.
  if (!service.forced.empty() && service.holds.empty()) {
    notes.push_back("agent: " + (service.health.empty() ? "unknown" : service.health));
    if (server.lease == "guarded") notes.emplace_back("guarded");
    return "forced " + service.forced + " (" + joined(notes, ", ") + ")";
  }
  if (!service.forced.empty()) notes.push_back("forced " + service.forced);
  if (server.lease == "guarded") notes.emplace_back("guarded");
  if (!service.holds.empty() && service.health == "down" && service.status != "down") {
    notes.emplace_back("checks fail");
  }
  return notes.empty() ? service.status : service.status + " (" + joined(notes, ", ") + ")";
}

std::string short_status_words(const Service& service, const Server& server) {
  if (!service.forced.empty()) return "forced " + service.forced;
  return server.lease == "guarded" ? "guarded" : service.status;
}

Tone tone_of(const Service& service) {
  if (service.forced == "down") return Tone::Bad;
  if (service.status == "accepting") return Tone::Good;
  if (service.status == "draining" || service.status == "held") return Tone::Waiting;
  if (service.status == "drained") return Tone::Strong;
  return Tone::Bad;  // down, unknown, and what a newer authority may say
}

std::string console_state(const Service& service) {
  if (service.health == "stopped") return "Stopped";
  if (!service.holds.empty()) return "Paused";
  return service.health.empty() ? "Unknown" : "Running";
}

std::string caches_words(base::WallTime horizon, base::WallTime now) {
  const std::string at = " (" + local_time(horizon, now) + ")";
  if (horizon <= now) return "caches are clear" + at;
  return "caches clear in " + spoken(horizon - now) + at;
}

std::string reason_words(const Reason& reason, base::WallTime now) {
  if (!reason.until) return reason.text;
  const std::string in = "in " + spoken(*reason.until - now);
  const std::string at = " (" + local_time(*reason.until, now) + ")";
  if (reason.code == "horizon") return "caches clear " + in + at;
  return reason.text + ", " + in + at;
}

std::string waiting_words(const Verdict& verdict, base::WallTime now, bool countdown) {
  std::vector<std::string> sessions;
  std::vector<std::string> others;
  for (const Reason& reason : verdict.reasons) {
    if (reason.code == "sessions") {
      sessions.push_back(reason.text);
    } else if (countdown) {
      others.push_back(reason_words(reason, now));
    } else {
      others.push_back(reason.code + (reason.until ? local_time(*reason.until, now) : ""));
    }
  }
  if (!sessions.empty()) others.insert(others.begin(), "sessions left: " + joined(sessions, ", "));
  return others.empty() ? "the authority gives no reason" : joined(others, "; ");
}

std::string brief_waiting_words(const Verdict& verdict, const std::vector<const Service*>& services,
                                base::WallTime now) {
  std::map<std::string, std::uint64_t> sums;
  for (const Service* service : services) {
    for (const auto& [counter, count] : service->sessions.value_or(Counters{})) {
      sums[counter] += count;
    }
  }
  std::vector<std::string> left;
  for (const auto& [counter, sum] : sums) {
    if (sum > 0) left.push_back(std::to_string(sum) + " " + counter);
  }
  std::vector<std::string> parts;
  if (verdict.reason("sessions") != nullptr) parts.push_back(joined(left, ", ") + " left");
  for (const Reason& reason : verdict.reasons) {
    if (reason.code == "sessions") continue;
    if (reason.code == "horizon" && reason.until) {
      parts.push_back("caches clear in " + spoken(*reason.until - now));
    } else {
      parts.push_back(reason.text);
    }
  }
  return joined(parts, "; ");
}

std::string relative_name(std::string_view owner, std::string_view pool) {
  if (owner == pool) return "@";
  const bool below = owner.size() > pool.size() + 1 && owner.ends_with(pool) &&
                     owner[owner.size() - pool.size() - 1] == '.';
  return std::string(below ? owner.substr(0, owner.size() - pool.size() - 1) : owner);
}

std::vector<std::string> short_names(const std::vector<std::string>& servers) {
  std::map<std::string, std::string> owners;  // by label
  std::vector<std::string> labels;
  for (const std::string& server : servers) {
    labels.push_back(server.substr(0, server.find('.')));
    if (owners.emplace(labels.back(), server).first->second != server) return servers;
  }
  return labels;
}

std::string subject_words(std::string_view server, std::string_view service) {
  return service.empty() ? std::string(server) : std::string(service).append(" on ").append(server);
}

}  // namespace sluice::ctl
