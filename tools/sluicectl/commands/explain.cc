#include <ostream>

#include "tools/sluicectl/api/answers.h"
#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/render/table.h"
#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {

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
  Table rows({{"SERVER", false},
              {"IN", false},
              {"RULE", false},
              {"SINCE", false},
              {"BY", true},
              {"WHY", true}});
  for (const ExplainedMember& member : explanation.members) {
    rows.add({member.server,
              {member.in ? "yes" : "no", member.in ? Tone::Good : Tone::Bad},
              member.rule,
              member.since ? local_time(*member.since, now) : "",
              member.by,
              member.text});
  }
  context.out << rows.render(context.out_surface);
  return Exit::Done;
}

}  // namespace sluice::ctl
