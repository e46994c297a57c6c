#include <ostream>

#include "tools/sluicectl/api/event.h"
#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/render/event_words.h"
#include "tools/sluicectl/render/text.h"

namespace sluice::ctl {

Exit history(const Options& options, Context& context) {
  Request request;
  request.path = server_path(options, "/history");
  if (options.newest) request.path += "?limit=" + std::to_string(*options.newest);
  const auto got = understood(context.api.send(request), read_history);
  if (!got) return report(got.error(), options, context);
  if (options.json) {
    print_document(got->text, context);
    return Exit::Done;
  }
  const base::WallTime now = context.clock.now().wall;
  for (const Event& event : got->value) {
    context.out << event_line(event, now, context.out_surface) << '\n';
  }
  if (got->value.empty())
    context.out << "nothing is known of " << printable(options.server) << '\n';
  return Exit::Done;
}

}  // namespace sluice::ctl
