#include <ostream>

#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/render/cluster_view.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {

Exit ready(const Options& options, Context& context) {
  Request request;
  request.path = server_path(options, "/verdict");
  if (!options.service.empty()) request.path += "?service=" + percent_encode(options.service);
  const auto got = understood(context.api.send(request), read_verdict);
  if (!got) return report(got.error(), options, context);
  const Verdict& verdict = got->value;
  const Exit exit = verdict.safe_to_stop ? Exit::Done : Exit::Refused;
  if (options.json) {
    print_document(got->text, context);
    return exit;
  }
  context.out << subject_words(printable(options.server), printable(options.service))
              << (verdict.safe_to_stop
                      ? toned(" is safe to take offline", Tone::Good, context.out_surface)
                      : toned(" is not safe to take offline", Tone::Bad, context.out_surface))
              << '\n';
  const base::WallTime now = context.clock.now().wall;
  for (const Reason& reason : verdict.reasons) {
    context.out << "  " << reason.code << ": " << reason_words(reason, now) << '\n';
  }
  // With the embedded store it is for milliseconds, until the responder's own workers are there.
  if (verdict.reason("unconfirmed-responder") != nullptr) {
    context.out << wrapped(unconfirmed_advice(), context.out_surface.width, 0);
  }
  warn(verdict.warnings, context);
  return exit;
}

}  // namespace sluice::ctl
