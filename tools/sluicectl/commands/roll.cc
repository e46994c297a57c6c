#include <algorithm>
#include <ostream>
#include <utility>

#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/roll/children.h"
#include "tools/sluicectl/roll/journal_file.h"
#include "tools/sluicectl/roll/machine.h"
#include "tools/sluicectl/roll/report.h"

namespace sluice::ctl {
namespace {

using std::chrono::milliseconds;

// As a wait does (wait.cc): sessions and health change with heartbeats, every 2 s.
constexpr milliseconds kPoll{500};
// Looks for the end of a command more often than it asks the authority: that costs nothing.
constexpr milliseconds kReap{50};
// A restart of the authority takes less, and holds outlive it.
constexpr std::chrono::seconds kPatience{60};

bool is_passing(const ApiError& error) {
  constexpr long kUnavailable = 503;
  return error.kind == ApiError::Kind::Unreachable || error.kind == ApiError::Kind::NoAnswer ||
         error.status == kUnavailable;
}

rolling::Settings settings_of(const Options& options) {
  rolling::Settings settings{.at_once = {},
                             .domains = options.domains,
                             .skip_unready = options.skip_unready,
                             .limit = options.limit,
                             .soak = options.soak};
  if (options.max_unavailable) settings.at_once = *options.max_unavailable;
  return settings;
}

// Does what the machine says, until it is over.
class Roll {
 public:
  Roll(const Options& options, Context& context, const Pool& pool, rolling::Machine machine,
       rolling::JournalFile& file, rolling::Journal kept)
      : options_(options),
        context_(context),
        pool_(pool.name),
        machine_(std::move(machine)),
        file_(file),
        report_(pool.name, options, context),
        heard_(context.clock.now().mono),
        kept_(std::move(kept)) {}

  Exit run() {
    while (!machine_.over()) {
      if (!machine_stopped_) look();
      reap();
      keep();
      if (machine_.over()) break;
      report_.progress(machine_.lanes(), silent_);
      if (const auto signal = rest()) on_signal(*signal);
      if (left_) break;
    }
    keep();
    // Nothing to go on from: all is done, or nothing was begun.
    const bool forget = machine_.exit() == Exit::Done || kept_.servers.empty();
    if (forget) file_.remove();
    report_.end(machine_, forget ? "" : printable(file_.path()));
    return machine_.exit();
  }

 private:
  void look() {
    Request request;
    request.path = "/v1/pools/" + percent_encode(pool_);
    const auto got = understood(context_.api.send(request), read_pool);
    if (!got) return on_error(got.error());
    heard();
    for (const rolling::Action& action : machine_.look(got->value, context_.clock.now())) {
      keep();  // what is about to be done is known even when we end in between
      perform(action);
      if (machine_stopped_) return;
    }
  }

  void perform(const rolling::Action& action) {
    switch (action.kind) {
      case rolling::Action::Kind::Drain:
        return drain(action.lane);
      case rolling::Action::Kind::Run:
        return start(action.lane);
      case rolling::Action::Kind::Resume:
        return resume(action.lane);
    }
  }

  void drain(std::size_t lane) {
    // Manual: the restart that the command brings must not lift the hold.
    const Json body{{"reason", rolling::kReason}, {"startup", "manual"}};
    const auto got = post(lane, "/drain", body);
    if (got) {
      if (!got->value.unconfirmed.empty()) {
        warn({server_of(lane) + ": not confirmed by " + joined(got->value.unconfirmed, ", ")},
             context_);
      }
      warn(got->value.warnings, context_);
      return machine_.drained(lane, context_.clock.now());
    }
    const ApiError& error = got.error();
    if (interrupted_or_passing(error)) return;
    const bool placed = error.problem.in_force || error.kind == ApiError::Kind::Strange;
    if (placed) return machine_.failed(lane, exit_of(error), error.message);
    machine_.refused(lane, exit_of(error), error.problem.rule == "floor", error.message);
  }

  void resume(std::size_t lane) {
    const auto got = post(lane, "/resume", Json::object());
    if (got) {
      warn(got->value.warnings, context_);
      return machine_.resumed(lane, context_.clock.now());
    }
    if (interrupted_or_passing(got.error())) return;
    machine_.failed(lane, exit_of(got.error()), got.error().message);
  }

  base::Result<Got<Acknowledgement>, ApiError> post(std::size_t lane, const char* what,
                                                    const Json& body) {
    const Request request{.method = Request::Method::Post,
                          .path = "/v1/servers/" + percent_encode(server_of(lane)) + what,
                          .body = body.dump()};
    auto got = understood(context_.api.send(request), read_acknowledgement);
    if (got) heard();
    return got;
  }

  void start(std::size_t lane) {
    const rolling::Lane& about = machine_.lanes()[lane];
    machine_.started(lane, context_.clock.now());
    keep();  // its line comes before the command's own
    const auto started = children_.start(
        lane, options_.exec,
        {{"SLUICE_SERVER", about.server}, {"SLUICE_POOL", pool_}, {"SLUICE_DOMAIN", about.domain}},
        options_.json);
    constexpr int kNotFound = 127;  // as a shell has it
    if (started) return;
    report_.note(started.error());
    machine_.ran(lane, kNotFound, context_.clock.now());
  }

  void reap() {
    while (const auto ended = children_.reap()) {
      machine_.ran(ended->first, ended->second, context_.clock.now());
    }
  }

  // Until it is time to look again, or a command has ended.
  std::optional<Exit> rest() {
    base::Duration left = kPoll;
    while (left > base::Duration{0}) {
      const base::Duration slice = machine_.runs_commands() ? kReap : left;
      if (const auto signal = context_.pause(std::min(slice, left))) return signal;
      left -= slice;
      const bool before = machine_.runs_commands();
      // Ctrl-C ends the command, too: the signal comes first, so that it is not the command's
      // fault.
      if (const auto signal = context_.pause(base::Duration{0})) return signal;
      reap();
      if (before && !machine_.runs_commands()) break;
    }
    return {};
  }

  void on_signal(Exit signal) {
    if (machine_stopped_) {
      left_ = true;  // the second one: whoever sent it does not want to wait for commands
      return;
    }
    stop(signal, "interrupted");
    if (signal == Exit::Terminated) children_.terminate();
    if (machine_.runs_commands()) {
      report_.note("waits for the command to end; another signal leaves it alone");
    }
  }

  void on_error(const ApiError& error) {
    if (interrupted_or_passing(error)) return;
    stop(exit_of(error), error.message);
  }

  bool interrupted_or_passing(const ApiError& error) {
    if (error.kind == ApiError::Kind::Interrupted) {
      on_signal(context_.pause(base::Duration{0}).value_or(Exit::Interrupted));
      return true;
    }
    if (!is_passing(error)) return false;
    silent_ = "the authority does not answer, trying again";
    if (context_.clock.now().mono - heard_ >= kPatience) stop(exit_of(error), error.message);
    return true;
  }

  void stop(Exit exit, const std::string& why) {
    machine_.stop(exit, why);
    machine_stopped_ = true;
  }

  void heard() {
    heard_ = context_.clock.now().mono;
    silent_.clear();
  }

  // Tells the steps, and has the state file say where it is. A disk that takes no state is no
  // reason to leave servers held: it is told once.
  void keep() {
    report_.steps(machine_.take_steps(), machine_.lanes());
    const auto journal = rolling::journal_of(pool_, options_.exec, machine_.lanes());
    if (journal == kept_) return;
    kept_ = journal;
    const auto stored = file_.store(journal);
    if (!stored && !std::exchange(told_, true)) report_.note(stored.error());
  }

  const std::string& server_of(std::size_t lane) const { return machine_.lanes()[lane].server; }

  const Options& options_;
  Context& context_;
  const std::string pool_;
  rolling::Machine machine_;
  rolling::JournalFile& file_;
  rolling::Report report_;
  rolling::Children children_;
  base::MonoTime heard_;   // when the authority last answered
  std::string silent_;     // what to show while it does not; empty: it does
  rolling::Journal kept_;  // what the state file says
  bool told_ = false;
  bool machine_stopped_ = false;
  bool left_ = false;
};

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
  return Roll(options, context, pool, rolling::Machine(settings, groups, std::move(lanes)), file,
              *journal)
      .run();
}

}  // namespace sluice::ctl
