#include <algorithm>
#include <ostream>
#include <string>

#include "tools/sluicectl/api/event.h"
#include "tools/sluicectl/api/sse.h"
#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/render/event_words.h"

namespace sluice::ctl {
namespace {

// The authority says something, if only a comment, every 15 s: three of them lost is a lost
// connection.
constexpr std::chrono::seconds kSilence{45};
// Between two attempts. A restart takes about a second; an authority that is away for a night is
// asked no more often than twelve times a minute.
constexpr base::Duration kFirstPause = std::chrono::milliseconds(500);
constexpr base::Duration kLongestPause = std::chrono::seconds(5);

class Watch {
 public:
  Watch(const Options& options, Context& context)
      : options_(options), context_(context), events_([this](const auto& each) { show(each); }) {}

  Exit run() {
    while (true) {
      events_.restart();
      const auto ended =
          context_.api.stream({.path = "/v1/events",
                               .media_type = "text/event-stream",
                               .last_event_id = events_.last_id(),
                               .silence = kSilence,
                               .begun = [this] { begun(); },
                               .take = [this](std::string_view octets) { return take(octets); }});
      if (const auto exit = ended ? lost("the authority ended it") : on_error(ended.error())) {
        return *exit;
      }
    }
  }

 private:
  void begun() {
    if (lost_) context_.err << "sluicectl: connected again" << told_since() << std::endl;
    lost_ = false;
    heard_ = true;
    pause_ = kFirstPause;
  }

  bool take(std::string_view octets) {
    if (!events_.feed(octets) && odd_.empty()) odd_ = "an event of it is over 1 MiB";
    context_.out.flush();
    return odd_.empty() && context_.out.good();
  }

  // Without an id there is nothing to go on from.
  std::string told_since() const {
    return events_.last_id().empty() ? "; what happened meanwhile is not shown" : "";
  }

  void show(const EventStream::Event& event) {
    const auto document = parse_document(event.data);
    const auto read = document ? read_answer(*document, read_event)
                               : base::Unexpected<std::string>{document.error()};
    if (!read) {
      if (odd_.empty()) odd_ = read.error();
    } else if (options_.json) {
      // On one line, whatever the authority's own lines are.
      context_.out << document->dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
    } else {
      context_.out << event_line(*read, context_.clock.now().wall, context_.out_surface) << '\n';
    }
    if (read && read->type == "reset") {
      context_.err
          << "sluicectl: the authority does not go back to where this stopped: there may be"
             " a gap (sluicectl history SERVER has what is kept)"
          << std::endl;
    }
  }

  std::optional<Exit> on_error(const ApiError& error) {
    switch (error.kind) {
      case ApiError::Kind::Interrupted:
        return context_.pause(base::Duration{0}).value_or(Exit::Interrupted);
      case ApiError::Kind::NotTaken:
        if (odd_.empty()) return Exit::Failed;  // stdout's end, which main() tells
        return report(Exit::Failed, "odd answer", "the event stream is odd: " + odd_, options_,
                      context_);
      case ApiError::Kind::Unreachable:
      case ApiError::Kind::NoAnswer:
        return lost(error.message);
      default:
        break;
    }
    constexpr long kUnavailable = 503;
    if (error.status == kUnavailable) return lost(error.message);
    return report(error, options_, context_);
  }

  // Tries for ever once there was an authority: whoever watches wants to see it come back.
  std::optional<Exit> lost(const std::string& why) {
    if (!heard_) {
      return report(Exit::NoAuthority, "no events", why, options_, context_);
    }
    if (!lost_) {
      context_.err << "sluicectl: connection lost (" << why.substr(0, why.find(';'))
                   << "), trying again" << std::endl;
    }
    lost_ = true;
    const auto signal = context_.pause(pause_);
    pause_ = std::min(pause_ * 2, kLongestPause);
    return signal;
  }

  const Options& options_;
  Context& context_;
  EventStream events_;
  std::string odd_;     // what was wrong with what came; empty: nothing
  bool heard_ = false;  // there was an authority
  bool lost_ = false;   // and now there is not
  base::Duration pause_ = kFirstPause;
};

}  // namespace

Exit watch(const Options& options, Context& context) {
  return Watch(options, context).run();
}

}  // namespace sluice::ctl
