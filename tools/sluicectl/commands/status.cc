#include <ostream>

#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/render/pool_view.h"
#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {
namespace {

// One pool's document has the same shape as a pool in the list of all.
Pools read_one_pool(JsonReader& reader) {
  return {.pools = {read_pool(reader)}, .orphans = {}};
}

}  // namespace

Exit status(const Options& options, Context& context) {
  const bool all = options.pool.empty();
  Request request;
  request.path = all ? "/v1/pools" : "/v1/pools/" + percent_encode(options.pool);
  const auto got = understood(context.api.send(request), all ? read_pools : read_one_pool);
  if (!got) return report(got.error(), options, context);
  if (options.json) {
    print_document(got->text, context);
    return Exit::Done;
  }
  const base::WallTime now = context.clock.now().wall;
  const char* between = "";
  for (const Pool& pool : got->value.pools) {
    context.out << between << pool_view(pool, now, context.out_surface);
    between = "\n";
  }
  if (got->value.pools.empty()) context.out << "no pools\n";
  if (!got->value.orphans.empty()) context.out << between << orphans_view(got->value.orphans, now);
  return Exit::Done;
}

Exit services(const Options& options, Context& context) {
  Request request;
  request.path = server_path(options, "");
  const auto got = understood(context.api.send(request), read_server);
  if (!got) return report(got.error(), options, context);
  if (options.json) {
    print_document(got->text, context);
    return Exit::Done;
  }
  const Server& server = got->value;
  context.out << server.name << '\n'
              << console_view(server, context.clock.now().wall, context.out_surface);
  warn(server.warnings, context);
  return Exit::Done;
}

}  // namespace sluice::ctl
