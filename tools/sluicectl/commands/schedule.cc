#include <ostream>
#include <string>
#include <vector>

#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/render/table.h"
#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {
namespace {

// What will happen, and what becomes of a planned hold.
std::string what(const Schedule& schedule, base::WallTime now) {
  if (schedule.kind == "expiry") {
    if (schedule.then != "alarm") return "lift the hold";
    // The hold stands all the same, and so does its line.
    return schedule.at <= now ? "alarm was given" : "alarm";
  }
  if (!schedule.expires) return schedule.kind;
  return schedule.kind + ", until " + local_time(*schedule.expires, now) +
         (schedule.then == "alarm" ? " then an alarm" : " then lifted");
}

// `narrow`: servers by their labels where these tell them apart.
Table table(const std::vector<Schedule>& schedules, bool narrow, base::WallTime now) {
  std::vector<std::string> names;
  names.reserve(schedules.size());
  for (const Schedule& each : schedules) names.push_back(each.server);
  if (narrow) names = short_names(names);
  Table rows({{"ID", false},
              {"WHAT", narrow},
              {"SERVER", narrow},
              {"SERVICE", narrow},
              {"AT", false},
              {narrow ? "LEAVES" : "LEAVES ANSWERS", false},
              {"BY", true},
              {"REASON", true}});
  for (std::size_t at = 0; at < names.size(); ++at) {
    const Schedule& each = schedules[at];
    rows.add({each.id, what(each, now), names[at], each.service, local_time(each.at, now),
              each.leaves_at ? local_time(*each.leaves_at, now) : "", each.by, each.reason});
  }
  return rows;
}

// What becomes of whom a planned drain would have taken out: other orders stand.
std::string left_words(const Schedule& gone, const Options& options, Context& context) {
  const std::string subject = subject_words(gone.server, gone.service);
  Options of = options;
  of.server = gone.server;
  Request request;
  request.path = server_path(of, "");
  const auto server = understood(context.api.send(request), read_server);
  // The cancelling itself is done.
  if (!server) return subject + " is not drained by it";
  for (const Service& service : server->value.services) {
    const bool concerned = gone.service.empty() || gone.service == service.name;
    if (concerned && !service.holds.empty()) {
      return subject_words(gone.server, service.name) + " is held already, and stays held";
    }
  }
  for (const Schedule& other : server->value.schedules) {
    const bool concerned =
        gone.service.empty() || other.service.empty() || gone.service == other.service;
    if (other.kind != "drain" || other.id == gone.id || !concerned) continue;
    return "but " + subject_words(gone.server, other.service) + ' ' +
           plan_words(other, context.clock.now().wall);
  }
  return subject + " stays in service";
}

}  // namespace

Exit schedule_list(const Options& options, Context& context) {
  Request request;
  request.path = "/v1/schedules";
  const auto got = understood(context.api.send(request), read_schedules);
  if (!got) return report(got.error(), options, context);
  if (options.json) {
    print_document(got->text, context);
    return Exit::Done;
  }
  if (got->value.empty()) {
    context.out << "nothing is planned\n";
    return Exit::Done;
  }
  const base::WallTime now = context.clock.now().wall;
  Table rows = table(got->value, false, now);
  if (context.out_surface.width != 0 && rows.natural_width() > context.out_surface.width) {
    rows = table(got->value, true, now);
  }
  context.out << rows.render(context.out_surface);
  return Exit::Done;
}

Exit schedule_cancel(const Options& options, Context& context) {
  const Request request{.method = Request::Method::Delete,
                        .path = "/v1/schedules/" + percent_encode(options.id),
                        .body = {}};
  const auto got = understood(context.api.send(request), read_schedule);
  if (!got) return report(got.error(), options, context);
  if (options.json) {
    print_document(got->text, context);
  } else {
    const Schedule& gone = got->value;
    context.out << "schedule " << gone.id << " cancelled: ";
    if (gone.kind == "drain") {
      context.out << left_words(gone, options, context) << '\n';
    } else {
      context.out << "the hold on " << subject_words(gone.server, gone.service)
                  << " stays until somebody resumes it\n";
    }
  }
  warn(got->value.warnings, context);
  return Exit::Done;
}

}  // namespace sluice::ctl
