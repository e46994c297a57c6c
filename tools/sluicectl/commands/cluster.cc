#include <chrono>
#include <ostream>

#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/render/cluster_view.h"
#include "tools/sluicectl/render/text.h"

namespace sluice::ctl {
namespace {

// Two seconds together, as long as a drain waits for who confirms (store.etcd.confirm_timeout).
constexpr int kMostLooks = 5;
constexpr base::Duration kPauseBetween = std::chrono::milliseconds(500);

}  // namespace

Exit cluster(const Options& options, Context& context) {
  Request request;
  request.path = "/v1/cluster";
  auto got = understood(context.api.send(request), read_cluster);
  for (int looks = 1; got && is_confirming(got->value) && looks < kMostLooks; ++looks) {
    if (const auto signal = context.pause(kPauseBetween)) return *signal;
    got = understood(context.api.send(request), read_cluster);
  }
  if (!got) return report(got.error(), options, context);
  if (options.json) {
    print_document(got->text, context);
  } else {
    context.out << cluster_view(got->value, context.clock.now().wall, context.out_surface);
  }
  return is_well(got->value) ? Exit::Done : Exit::Failed;
}

Exit cluster_forget(const Options& options, Context& context) {
  const Json body{{"responder", options.responder}};
  const Request request{.method = Request::Method::Post,
                        .path = "/v1/cluster/forget",
                        .body = body.dump(-1, ' ', false, Json::error_handler_t::replace)};
  const auto answer = context.api.send(request);
  if (!answer) return report(answer.error(), options, context);
  if (options.json) {
    print_document(answer->text, context);
    return Exit::Done;
  }
  const std::string name = printable(options.responder);
  context.out << wrapped(name +
                             " is forgotten: drains and verdicts wait for it no more. Where it "
                             "still runs, cut off, it answers as before: stop it there. When it "
                             "reaches the cluster again it is known again, and takes over the "
                             "newest state first.",
                         context.out_surface.width, 0);
  return Exit::Done;
}

}  // namespace sluice::ctl
