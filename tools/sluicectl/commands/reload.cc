#include <ostream>

#include "tools/sluicectl/commands/commands.h"

namespace sluice::ctl {

Exit reload(const Options& options, Context& context) {
  const Request request{.method = Request::Method::Post, .path = "/v1/reload", .body = "{}"};
  const auto answer = context.api.send(request);
  if (!answer) {
    const Exit exit = report(answer.error(), options, context);
    if (answer.error().kind != ApiError::Kind::Problem) return exit;
    context.err << "The configuration before it stays in force.\n";
    // A mistake in a file is no rule of the pool's, whatever the status: as of `sluiced --check`.
    return Exit::Failed;
  }
  if (options.json) {
    print_document(answer->text, context);
  } else {
    context.out << "configuration reloaded\n";
  }
  return Exit::Done;
}

}  // namespace sluice::ctl
