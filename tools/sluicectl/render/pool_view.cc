#include "tools/sluicectl/render/pool_view.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "tools/sluicectl/render/table.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {
namespace {

std::string warning_line(const std::string& text, const Surface& surface) {
  constexpr std::string_view kWarning = "warning:";
  std::string lines = wrapped(std::string(kWarning) + " " + text, surface.width, 2);
  return lines.replace(2, kWarning.size(), toned(kWarning, Tone::Waiting, surface));
}

std::string header(const Pool& pool, const Surface& surface) {
  std::size_t serving = 0;
  std::size_t accepting = 0;
  for (const Server& server : pool.servers) {
    const Service* service = server.service(pool.service);
    if (service == nullptr) continue;
    ++serving;
    // The status is what was measured; forced down takes it out of the answers all the same.
    if (service->status == "accepting" && service->forced != "down") ++accepting;
  }
  const bool short_of = accepting < pool.min_accepting;
  std::string text =
      toned(pool.name, Tone::Strong, surface) + "  generation " + std::to_string(pool.generation) +
      ", " +
      toned(std::to_string(accepting) + " of " + std::to_string(serving) + " accepting",
            short_of ? Tone::Bad : Tone::Plain, surface) +
      " (at least " + std::to_string(pool.min_accepting) + ")\n";
  if (pool.mass_loss_guard) {
    text += warning_line("mass-loss guard active: the last known health counts", surface);
  }
  if (!pool.dns_load_balancing) {
    text += warning_line("no DNS load balancing: features may not be rerouted, no verdict by DNS",
                         surface);
  }
  return text;
}

// A server's hold is on each of its services, and is told once.
std::string alarms(const Server& server, const std::string& name, base::WallTime now,
                   const Surface& surface) {
  std::string text;
  bool told = false;
  for (const Service& service : server.services) {
    for (const Hold& hold : service.holds) {
      const bool whole = hold.scope == "server";
      if (!hold.alarmed || (whole && told)) continue;
      told = told || whole;
      text +=
          warning_line("the time of the hold on " + subject_words(name, whole ? "" : service.name) +
                           " is " + expiry_words(hold, now),
                       surface);
    }
  }
  return text;
}

std::string plans(const Server& server, const std::string& name, base::WallTime now) {
  std::string text;
  for (const Schedule& schedule : server.schedules) {
    const std::string words = plan_words(schedule, now);
    if (words.empty()) continue;
    text += "  " + subject_words(name, schedule.service) + ": " + words + "\n";
  }
  return text;
}

std::string notes(const Pool& pool, base::WallTime now, const Surface& surface) {
  std::string text;
  // Among them, by what an answer set without an accepting server is answered.
  for (const std::string& warning : pool.warnings) {
    text += warning_line(with_local_times(warning, now), surface);
  }
  for (const Server& server : pool.servers) {
    const std::string name = relative_name(server.name, pool.name);
    for (const std::string& warning : server.warnings) {
      text += warning_line(name + ": " + with_local_times(warning, now), surface);
    }
    text += alarms(server, name, now, surface) + plans(server, name, now);
    if (server.host_hidden) text += "  " + name + ": host record hidden\n";
    for (const Service& service : server.services) {
      if (service.hook_state.empty() || service.hook_state == "ok") continue;
      text += "  " + subject_words(name, service.name) + ": hook " + service.hook_state;
      text += service.hook_text.empty() ? "\n" : ": " + service.hook_text + "\n";
    }
  }
  return text;
}

std::string in_answers(const Pool& pool, const Server& server, const Service& service) {
  std::vector<std::string> owners;
  for (const AnswerSet& set : pool.answer_sets) {
    const bool member = set.service == service.name &&
                        std::ranges::find(set.members, server.name) != set.members.end();
    if (member) owners.push_back(relative_name(set.owner, pool.name));
  }
  // A service that no answer set follows is in none, though nothing holds it.
  return owners.empty() && service.in_answers ? "yes" : joined(owners, " ");
}

// A hold whose time is over is what somebody asked to be told of.
Tone holds_tone(const Service& service) {
  const bool alarmed = std::ranges::any_of(service.holds, &Hold::alarmed);
  return alarmed ? Tone::Waiting : Tone::Plain;
}

// What a row tells, from all to what an operator cannot do without.
enum class Detail : std::uint8_t {
  All,
  ShortNames,  // servers by their names within the pool
  Least,       // likewise; counts without long words, no startup types but in the holds
};

Table table(const Pool& pool, base::WallTime now, Detail detail) {
  const bool domains = std::ranges::any_of(
      pool.servers, [](const Server& server) { return !server.domain.empty(); });
  const bool least = detail == Detail::Least;
  std::vector<Column> columns{{"SERVER", least}};
  if (domains) columns.push_back({"DOMAIN", true});
  for (Column each :
       {Column{"SERVICE", least}, Column{"STATUS", false}, Column{"SESSIONS", !least},
        Column{"IN-ANSWERS", true}, Column{"HOLDS", true}, Column{"HORIZON", false}}) {
    columns.push_back(std::move(each));
  }
  if (!least) columns.push_back({"STARTUP", false});
  Table rows(std::move(columns));
  for (const Server& server : pool.servers) {
    for (const Service& service : server.services) {
      std::vector<Cell> row{detail == Detail::All ? server.name
                                                  : relative_name(server.name, pool.name)};
      if (domains) row.emplace_back(server.domain);
      row.emplace_back(service.name);
      row.emplace_back(least ? short_status_words(service, server) : status_words(service, server),
                       tone_of(service));
      row.emplace_back(least ? short_sessions_words(service) : sessions_words(service));
      row.emplace_back(in_answers(pool, server, service));
      row.emplace_back(least ? short_holds_words(service) : holds_words(service, now),
                       holds_tone(service));
      row.emplace_back(horizon_words(service, now));
      if (!least) row.emplace_back(startup_words(service));
      rows.add(std::move(row));
    }
  }
  return rows;
}

}  // namespace

std::string pool_view(const Pool& pool, base::WallTime now, const Surface& surface) {
  Table rows = table(pool, now, Detail::All);
  for (const Detail less : {Detail::ShortNames, Detail::Least}) {
    if (surface.width == 0 || rows.natural_width() <= surface.width) break;
    rows = table(pool, now, less);
  }
  return header(pool, surface) + notes(pool, now, surface) + rows.render(surface);
}

std::string orphans_view(const std::vector<Orphan>& orphans, base::WallTime now) {
  if (orphans.empty()) return {};
  std::string text = "Holds whose server or service the configuration does not have:\n";
  for (const Orphan& orphan : orphans) {
    text += "  " + subject_words(orphan.server, orphan.service) + ": " +
            hold_words(orphan.hold, now) + "\n";
  }
  return text;
}

std::string console_view(const Server& server, base::WallTime now, const Surface& surface) {
  Table rows({{"SERVICE", false},
              {"TITLE", true},
              {"STATE", false},
              {"STATUS", false},
              {"STARTUP", false},
              {"CONSOLIDATES", true}});
  for (const Service& service : server.services) {
    rows.add({service.name,
              service.title,
              console_state(service),
              {status_words(service, server), tone_of(service)},
              startup_words(service),
              joined(service.consolidates, ", ")});
  }
  return rows.render(surface) + alarms(server, server.name, now, surface) +
         plans(server, server.name, now);
}

}  // namespace sluice::ctl
