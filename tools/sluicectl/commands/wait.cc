#include "tools/sluicectl/commands/wait.h"

#include <algorithm>
#include <ostream>
#include <utility>
#include <vector>

#include "config/base/nearest.h"
#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/render/cluster_view.h"
#include "tools/sluicectl/render/duration_words.h"
#include "tools/sluicectl/render/progress.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {
namespace {

using std::chrono::milliseconds;

// Sessions change with heartbeats, every 2 s; half a second more than that is not noticed, and two
// small requests a second on one connection cost an authority nothing.
constexpr milliseconds kPoll{500};
// A restart of the authority, by a package upgrade for instance, takes less. Holds outlive it.
constexpr std::chrono::seconds kPatience{60};
// The last look before the time is over is a real one.
constexpr std::chrono::seconds kLeastRequest{1};

// What one look at the server says.
struct Sight {
  enum class Kind : std::uint8_t { Reached, Waiting, Lifted, Hopeless, NoService };
  Kind kind = Kind::Waiting;
  std::string line;     // for people
  std::string state;    // the same without countdowns
  std::string brief{};  // for a narrow terminal
};

std::vector<const Service*> watched(const Server& server, const std::string& only) {
  std::vector<const Service*> found;
  for (const Service& service : server.services) {
    if (only.empty() || service.name == only) found.push_back(&service);
  }
  return found;
}

Sight look_for_accepting(const std::vector<const Service*>& services) {
  std::vector<std::string> others;
  for (const Service* service : services) {
    if (service->status != "accepting") others.push_back(service->name + " " + service->status);
  }
  if (others.empty()) return {Sight::Kind::Reached, {}, {}};
  const std::string line = joined(others, ", ");
  return {Sight::Kind::Waiting, line, line};
}

// What is not held is told once, not for each service.
Verdict with_one_for_not_held(Verdict verdict, const std::vector<std::string>& free) {
  if (std::erase_if(verdict.reasons, [](const Reason& each) { return each.code == "not-held"; }) >
      0) {
    verdict.reasons.insert(
        verdict.reasons.begin(),
        {.code = "not-held", .text = "nothing holds " + joined(free, ", "), .until = std::nullopt});
  }
  return verdict;
}

Sight look_for_safe(Verdict verdict, const std::vector<const Service*>& services, const Goal& goal,
                    const Options& options, base::WallTime now) {
  if (verdict.safe_to_stop) return {Sight::Kind::Reached, {}, {}};
  std::vector<std::string> free;
  for (const Service* service : services) {
    if (service->holds.empty()) free.push_back(service->name);
  }
  if (goal.placed && !free.empty()) return {Sight::Kind::Lifted, joined(free, ", "), {}};
  if (free.size() == services.size() && verdict.reason("not-by-dns") == nullptr) {
    // Whatever else stands against it, nothing of that comes to an end before.
    const std::string drain = "nothing holds it; `sluicectl drain " + printable(options.server) +
                              (options.service.empty() ? "" : " --service ") +
                              printable(options.service) + "` does";
    return {Sight::Kind::Waiting, drain, drain};
  }
  verdict = with_one_for_not_held(std::move(verdict), free);
  return {verdict.hopeless() ? Sight::Kind::Hopeless : Sight::Kind::Waiting,
          waiting_words(verdict, now, true), waiting_words(verdict, now, false),
          brief_waiting_words(verdict, services, now)};
}

Sight look(const Server& server, const Goal& goal, const Options& options, base::WallTime now) {
  const auto services = watched(server, options.service);
  if (services.empty()) return {Sight::Kind::NoService, {}, {}};
  if (goal.accepting) return look_for_accepting(services);
  const Verdict& verdict = options.service.empty() ? server.verdict : services.front()->verdict;
  return look_for_safe(verdict, services, goal, options, now);
}

class Wait {
 public:
  Wait(const Goal& goal, const Options& options, Context& context)
      : goal_(goal),
        options_(options),
        context_(context),
        progress_(options.json ? context.err : context.out,
                  options.json ? context.err_surface : context.out_surface),
        started_(context.clock.now().mono),
        subject_(subject_words(printable(options.server), printable(options.service))) {
    if (goal.placed) heard_ = started_;
    advised_ = goal.unconfirmed_told;
  }

  Exit run() {
    while (true) {
      const auto got = ask();
      const auto ended = got ? on_server(*got) : on_error(got.error());
      if (ended) return *ended;
      if (over()) return timed_out();
      if (const auto signal = context_.pause(std::min<base::Duration>(kPoll, left()))) {
        return interrupted(*signal);
      }
    }
  }

 private:
  base::Result<Got<Server>, ApiError> ask() {
    Request request;
    request.path = server_path(options_, "");
    request.limit = std::clamp<base::Duration>(left(), kLeastRequest, kRequestLimit);
    return understood(context_.api.send(request), read_server);
  }

  std::optional<Exit> on_server(const Got<Server>& got) {
    const base::Now now = context_.clock.now();
    heard_ = now.mono;
    document_ = got.text;
    subject_ = subject_words(got.value.name, options_.service);
    brief_subject_ = subject_words(short_names({got.value.name}).front(), options_.service);
    const Sight sight = look(got.value, goal_, options_, now.wall);
    switch (sight.kind) {
      case Sight::Kind::Waiting:
        advise(got.value);
        last_ = sight.line;
        progress_.show(subject_ + ": " + sight.line, sight.state,
                       sight.brief.empty() ? "" : brief_subject_ + ": " + sight.brief);
        return {};
      case Sight::Kind::Reached:
        progress_.clear();
        if (!options_.json) {
          context_.out << subject_
                       << (goal_.accepting ? " is accepting\n" : " is safe to take offline\n");
        }
        finish_document();
        return Exit::Done;
      case Sight::Kind::Lifted:
        return end(Exit::Failed, "the hold was lifted by somebody else or by a restart: " +
                                     sight.line + " may take new connections");
      case Sight::Kind::Hopeless:
        return end(Exit::Refused, "nothing more to wait for, yet not safe: " + sight.line);
      case Sight::Kind::NoService:
        break;
    }
    std::vector<std::string> names;
    for (const Service& service : got.value.services) names.push_back(service.name);
    subject_ = got.value.name;
    // In the authority's words to who drains it.
    return end(Exit::Failed,
               "it runs no service " + printable(options_.service) + "; it runs " +
                   joined(names, ", ") +
                   base::did_you_mean(options_.service, {names.begin(), names.end()}));
  }

  // Once, and not of what comes and goes between two looks: with the embedded store the responder's
  // own workers have confirmed within milliseconds.
  void advise(const Server& server) {
    if (goal_.accepting) return;
    const Service* only = server.service(options_.service);
    const Verdict& verdict = only == nullptr ? server.verdict : only->verdict;
    if (verdict.reason("unconfirmed-responder") == nullptr) {
      unconfirmed_looks_ = 0;
    } else if (++unconfirmed_looks_ == 2 && !std::exchange(advised_, true)) {
      progress_.clear();
      warn({unconfirmed_advice()}, context_);
    }
  }

  std::optional<Exit> on_error(const ApiError& error) {
    if (error.kind == ApiError::Kind::Interrupted) {
      // The signal is still there to be taken: it says which exit it is.
      return interrupted(context_.pause(base::Duration{0}).value_or(Exit::Interrupted));
    }
    constexpr long kUnavailable = 503;
    const bool passing = error.kind == ApiError::Kind::Unreachable ||
                         error.kind == ApiError::Kind::NoAnswer || error.status == kUnavailable;
    if (passing && over()) return timed_out();
    if (passing && heard_ && context_.clock.now().mono - *heard_ < kPatience) {
      progress_.show(subject_ + ": the authority does not answer, trying again", "no answer");
      return {};
    }
    progress_.clear();
    return report(error, options_, context_);
  }

  base::Duration left() const {
    if (!options_.limit) return kRequestLimit;
    const auto passed =
        std::chrono::duration_cast<base::Duration>(context_.clock.now().mono - started_);
    return std::max(*options_.limit - passed, base::Duration{0});
  }
  bool over() const { return options_.limit && left() == base::Duration{0}; }

  Exit timed_out() {
    return end(Exit::TimedOut, "timed out after " + spoken(*options_.limit) +
                                   (last_.empty() ? "" : ": " + last_) + hold_stays());
  }
  Exit interrupted(Exit signal) { return end(signal, "interrupted" + hold_stays()); }

  std::string hold_stays() const {
    if (!goal_.placed) return {};
    std::string undo = "sluicectl resume " + printable(options_.server);
    if (!options_.service.empty()) undo += " --service " + printable(options_.service);
    return "\nThe hold stays: `" + undo + "` lifts it.";
  }

  Exit end(Exit exit, const std::string& message) {
    progress_.clear();
    const std::size_t note = std::min(message.find('\n'), message.size());
    context_.err << wrapped("sluicectl: " + subject_ + ": " + message.substr(0, note),
                            context_.err_surface.width, 0, 0);
    if (note < message.size()) context_.err << message.substr(note + 1) << '\n';
    finish_document();
    return exit;
  }

  void finish_document() {
    if (options_.json && !document_.empty()) print_document(document_, context_);
  }

  const Goal goal_;
  const Options& options_;
  Context& context_;
  Progress progress_;
  const base::MonoTime started_;
  std::optional<base::MonoTime> heard_;  // when the authority last answered
  std::string subject_;
  std::string brief_subject_;  // the server by its label
  std::string last_;           // what was last waited for
  std::string document_;       // the server as last seen
  int unconfirmed_looks_ = 0;  // in a row, with that reason
  bool advised_ = false;
};

}  // namespace

Exit wait_until(const Goal& goal, const Options& options, Context& context) {
  return Wait(goal, options, context).run();
}

Exit wait(const Options& options, Context& context) {
  return wait_until({.accepting = options.accepting}, options, context);
}

}  // namespace sluice::ctl
