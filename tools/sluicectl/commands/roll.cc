#include <algorithm>
#include <ostream>
#include <utility>

#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/roll/driver.h"
#include "tools/sluicectl/roll/journal_file.h"
#include "tools/sluicectl/roll/machine.h"
#include "tools/sluicectl/roll/report.h"

namespace sluice::ctl {
namespace {

rolling::Settings settings_of(const Options& options) {
  rolling::Settings settings{.at_once = {},
                             .domains = options.domains,
                             .skip_unready = options.skip_unready,
                             .limit = options.limit,
                             .soak = options.soak};
  if (options.max_unavailable) settings.at_once = *options.max_unavailable;
  return settings;
}

std::string counted(const rolling::Journal& journal) {
  const auto done = std::count_if(
      journal.servers.begin(), journal.servers.end(),
      [](const auto& each) { return each.second.state == rolling::Journal::State::Done; });
  return std::to_string(done) + (done == 1 ? " server is done" : " servers are done");
}

// What was done before, if it is of this command; else why not.
base::Result<rolling::Journal, std::string> journal_for(const rolling::JournalFile& file,
                                                        const std::string& pool,
                                                        const Options& options) {
  auto loaded = file.load();
  if (!loaded) {
    return base::Unexpected{loaded.error() +
                            "\nIf it is none of yours, --state FILE names another"};
  }
  if (!*loaded) return rolling::Journal{.pool = pool, .command = options.exec, .servers = {}};
  rolling::Journal& journal = **loaded;
  const bool other = journal.pool != pool || (journal.command != options.exec && !options.restart);
  if (other && !(options.dry_run && options.exec.empty())) {
    return base::Unexpected{"a roll of " + journal.pool +
                            " with another command is not complete: " + printable(journal.command) +
                            "\nThe same command goes on with it; --restart begins anew (" +
                            printable(file.path()) + ")"};
  }
  return std::move(journal);
}

}  // namespace

Exit roll(const Options& options, Context& context) {
  const auto failed = [&](const std::string& why) {
    return report(Exit::Failed, "not rolled", why, options, context);
  };
  Request request;
  request.path = "/v1/pools/" + percent_encode(options.pool);
  const auto got = understood(context.api.send(request), read_pool);
  if (!got) return report(got.error(), options, context);
  const Pool& pool = got->value;
  if (pool.servers.empty()) return failed(pool.name + " has no servers");

  auto path = options.state_file.empty()
                  ? rolling::journal_path(pool.name)
                  : base::Result<std::string, std::string>(options.state_file);
  if (!path) return failed(path.error());
  rolling::JournalFile file(*std::move(path));
  if (!options.dry_run) {
    if (auto locked = file.lock(); !locked) return failed(locked.error());
  }
  const auto journal = journal_for(file, pool.name, options);
  if (!journal) return failed(journal.error());

  const rolling::Settings settings = settings_of(options);
  const auto groups = rolling::groups_of(pool, settings);
  auto lanes = rolling::lanes_of(groups, *journal, options.restart);
  rolling::Report told(pool.name, options, context);
  if (!journal->servers.empty()) {
    told.note(options.restart ? "begins anew" : "goes on where it stopped: " + counted(*journal));
  }
  for (const std::string& server : rolling::lost_holds(groups, *journal)) {
    told.note(server + ", which this roll holds, is no longer in the pool: its hold stays");
  }
  if (options.dry_run) return told.plan(pool, groups, lanes);
  return rolling::Driver(options, context, pool,
                         rolling::Machine(settings, groups, std::move(lanes)), file, *journal)
      .run();
}

}  // namespace sluice::ctl
