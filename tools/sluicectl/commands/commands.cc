#include "tools/sluicectl/commands/commands.h"

namespace sluice::ctl {

Exit run(const Options& options, Context& context) {
  switch (options.command) {
    case Command::Status:
      return status(options, context);
    case Command::Services:
      return services(options, context);
    case Command::Drain:
      return drain(options, context);
    case Command::Resume:
      return resume(options, context);
    case Command::Wait:
      return wait(options, context);
    case Command::Ready:
      return ready(options, context);
    case Command::ForceUp:
    case Command::ForceDown:
    case Command::Unforce:
      return force(options, context);
    case Command::Explain:
      return explain(options, context);
    case Command::Verify:
      return verify(options, context);
    case Command::Dig:
      return dig(options, context);
    case Command::ScheduleList:
      return schedule_list(options, context);
    case Command::ScheduleCancel:
      return schedule_cancel(options, context);
    case Command::Cluster:
      return cluster(options, context);
    case Command::ClusterForget:
      return cluster_forget(options, context);
    case Command::Roll:
      return roll(options, context);
    case Command::Watch:
      return watch(options, context);
    case Command::History:
      return history(options, context);
    case Command::Backup:
      return backup(options, context);
    case Command::Import:
      return import_state(options, context);
    case Command::Reload:
      return reload(options, context);
    case Command::Token:
      return token(options, context);
    case Command::PkiCa:
    case Command::PkiServer:
    case Command::PkiAgent:
    case Command::PkiOperator:
    case Command::PkiReader:
    case Command::PkiRenew:
    case Command::PkiShow:
      return certificates(options, context);
  }
  return Exit::Usage;
}

std::string server_path(const Options& options, std::string_view rest) {
  return "/v1/servers/" + percent_encode(options.server) + std::string(rest);
}

}  // namespace sluice::ctl
