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
  if (schedule.kind == "expiry") return schedule.then == "alarm" ? "alarm" : "lift the hold";
  if (!schedule.expires) return schedule.kind;
  return schedule.kind + ", until " + local_time(*schedule.expires, now) +
         (schedule.then == "alarm" ? " then an alarm" : " then lifted");
}

// `narrow`: servers by their labels where these tell them apart.
Table table(const std::vector<Schedule>& schedules, bool narrow, base::WallTime now) {
  std::vector<std::string> names;
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
    const bool drain = gone.kind == "drain";
    context.out << "schedule " << gone.id << " cancelled: " << (drain ? "" : "the hold on ")
                << subject_words(gone.server, gone.service)
                << (drain ? " stays in service\n" : " stays until somebody resumes it\n");
  }
  warn(got->value.warnings, context);
  return Exit::Done;
}

}  // namespace sluice::ctl
