#include <ostream>
#include <string>
#include <vector>

#include "tools/sluicectl/api/answers.h"
#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/render/table.h"
#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {
namespace {

Table table(const Explanation& explanation, const std::vector<std::string>& names,
            base::WallTime now) {
  Table rows({{"SERVER", false},
              {"IN", false},
              {"RULE", false},
              {"SINCE", false},
              {"BY", true},
              {"WHY", true}});
  for (std::size_t at = 0; at < names.size(); ++at) {
    const ExplainedMember& member = explanation.members[at];
    rows.add({names[at],
              {member.in ? "yes" : "no", member.in ? Tone::Good : Tone::Bad},
              member.rule,
              member.since ? local_time(*member.since, now) : "",
              member.by,
              member.text});
  }
  return rows;
}

}  // namespace

Exit explain(const Options& options, Context& context) {
  Request request;
  request.path = "/v1/explain?name=" + percent_encode(options.name);
  if (!options.type.empty()) request.path += "&type=" + percent_encode(options.type);
  const auto got = understood(context.api.send(request), read_explanation);
  if (!got) return report(got.error(), options, context);
  if (options.json) {
    print_document(got->text, context);
    return Exit::Done;
  }
  const Explanation& explanation = got->value;
  context.out << explanation.name << ' ' << explanation.type;
  if (!explanation.service.empty()) context.out << "  follows " << explanation.service;
  if (!explanation.fallback.empty()) context.out << ", answers by " << explanation.fallback;
  context.out << '\n';
  const base::WallTime now = context.clock.now().wall;
  std::vector<std::string> names;
  for (const ExplainedMember& member : explanation.members) names.push_back(member.server);
  Table rows = table(explanation, names, now);
  if (context.out_surface.width != 0 && rows.natural_width() > context.out_surface.width) {
    rows = table(explanation, short_names(names), now);
  }
  context.out << rows.render(context.out_surface);
  return Exit::Done;
}

}  // namespace sluice::ctl
