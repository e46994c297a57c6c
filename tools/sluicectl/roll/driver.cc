#include "tools/sluicectl/roll/driver.h"

#include <algorithm>
#include <utility>

#include "tools/sluicectl/render/cluster_view.h"
#include "tools/sluicectl/render/text.h"

namespace sluice::ctl::rolling {
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

}  // namespace

Driver::Driver(const Options& options, Context& context, const Pool& pool, Machine machine,
               JournalFile& file, Journal kept)
    : options_(options),
      context_(context),
      pool_(pool.name),
      machine_(std::move(machine)),
      file_(file),
      report_(pool.name, options, context),
      heard_(context.clock.now().mono),
      kept_(std::move(kept)) {}

Exit Driver::run() {
  while (!machine_.over()) {
    if (!machine_stopped_) look();
    reap();
    keep();
    if (machine_.over()) break;
    report_.progress(machine_.lanes(), silent_);
    rest();
    if (left_) break;
  }
  keep();
  // Nothing to go on from: all is done, or nothing was begun.
  const bool forget = machine_.exit() == Exit::Done || kept_.servers.empty();
  if (forget) file_.remove();
  report_.end(machine_, forget ? "" : printable(file_.path()));
  return machine_.exit();
}

void Driver::look() {
  Request request;
  request.path = "/v1/pools/" + percent_encode(pool_);
  const auto got = understood(context_.api.send(request), read_pool);
  if (!got) return on_error(got.error());
  heard();
  for (const Action& action : machine_.look(got->value, context_.clock.now())) {
    keep();  // what is about to be done is known even when we end in between
    perform(action);
    if (machine_stopped_) return;
  }
}

void Driver::perform(const Action& action) {
  switch (action.kind) {
    case Action::Kind::Drain:
      return drain(action.lane);
    case Action::Kind::Run:
      return start(action.lane);
    case Action::Kind::Resume:
      return resume(action.lane);
  }
}

void Driver::drain(std::size_t lane) {
  // Manual: the restart that the command brings must not lift the hold.
  const Json body{{"reason", kReason}, {"startup", "manual"}};
  const auto got = post(lane, "/drain", body);
  if (got) {
    if (!got->value.unconfirmed.empty()) {
      warn({server_of(lane) + ": " + unconfirmed_words(got->value.unconfirmed, true)}, context_);
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

void Driver::resume(std::size_t lane) {
  const auto got = post(lane, "/resume", Json::object());
  if (got) {
    if (!got->value.unconfirmed.empty()) {
      warn({server_of(lane) + ": " + unconfirmed_words(got->value.unconfirmed, false)}, context_);
    }
    warn(got->value.warnings, context_);
    return machine_.resumed(lane, context_.clock.now());
  }
  if (interrupted_or_passing(got.error())) return;
  machine_.failed(lane, exit_of(got.error()), got.error().message);
}

base::Result<Got<Acknowledgement>, ApiError> Driver::post(std::size_t lane, const char* what,
                                                          const Json& body) {
  const Request request{.method = Request::Method::Post,
                        .path = "/v1/servers/" + percent_encode(server_of(lane)) + what,
                        .body = body.dump()};
  auto got = understood(context_.api.send(request), read_acknowledgement);
  if (got) heard();
  return got;
}

void Driver::start(std::size_t lane) {
  const Lane& about = machine_.lanes()[lane];
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

// Ctrl-C ends the command, too: the signal comes first, so that it is not the command's fault.
void Driver::reap() {
  if (const auto signal = context_.pause(base::Duration{0})) on_signal(*signal);
  while (const auto ended = children_.reap()) {
    machine_.ran(ended->first, ended->second, context_.clock.now());
  }
}

// Until it is time to look again, a command has ended, or a signal came.
void Driver::rest() {
  for (base::Duration left = kPoll; left > base::Duration{0};) {
    const bool ran = machine_.runs_commands();
    const base::Duration slice = std::min(ran ? kReap : left, left);
    if (const auto signal = context_.pause(slice)) return on_signal(*signal);
    left -= slice;
    const bool stopped = machine_stopped_;
    reap();
    if (left_ || machine_stopped_ != stopped || (ran && !machine_.runs_commands())) return;
  }
}

void Driver::on_signal(Exit signal) {
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

void Driver::on_error(const ApiError& error) {
  if (interrupted_or_passing(error)) return;
  stop(exit_of(error), error.message);
}

bool Driver::interrupted_or_passing(const ApiError& error) {
  if (error.kind == ApiError::Kind::Interrupted) {
    on_signal(context_.pause(base::Duration{0}).value_or(Exit::Interrupted));
    return true;
  }
  if (!is_passing(error)) return false;
  silent_ = "the authority does not answer, trying again";
  if (context_.clock.now().mono - heard_ >= kPatience) stop(exit_of(error), error.message);
  return true;
}

void Driver::stop(Exit exit, const std::string& why) {
  machine_.stop(exit, why);
  machine_stopped_ = true;
}

void Driver::heard() {
  heard_ = context_.clock.now().mono;
  silent_.clear();
}

// Tells the steps, and has the state file say where it is. A disk that takes no state is no
// reason to leave servers held: it is told once.
void Driver::keep() {
  report_.steps(machine_.take_steps(), machine_.lanes());
  const auto journal = journal_of(pool_, options_.exec, machine_.lanes());
  if (journal == kept_) return;
  kept_ = journal;
  const auto stored = file_.store(journal);
  if (!stored && !std::exchange(told_, true)) report_.note(stored.error());
}

}  // namespace sluice::ctl::rolling
