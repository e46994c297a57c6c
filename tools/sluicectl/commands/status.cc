#include <algorithm>
#include <optional>
#include <ostream>
#include <string>

#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/render/cluster_view.h"
#include "tools/sluicectl/render/duration_words.h"
#include "tools/sluicectl/render/pool_view.h"
#include "tools/sluicectl/render/screen.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {
namespace {

// Whoever watches is to see it soon when the authority hangs. Of the largest that there is, the
// state comes in two.
constexpr base::Duration kLookLimit = std::chrono::seconds(5);
// Looking takes at most this part of the authority's time, however many pools there are.
constexpr int kShare = 5;

// One pool's document has the same shape as a pool in the list of all.
Pools read_one_pool(JsonReader& reader) {
  return {.pools = {read_pool(reader)}, .orphans = {}};
}

base::Result<Got<Pools>, ApiError> look(const Options& options, Context& context,
                                        base::Duration limit) {
  const bool all = options.pool.empty();
  Request request;
  request.path = all ? "/v1/pools" : "/v1/pools/" + percent_encode(options.pool);
  request.limit = limit;
  return understood(context.api.send(request), all ? read_pools : read_one_pool);
}

// Whether the one that is asked is cut off from its cluster. Nothing, too, where it can't be asked:
// the state itself came.
std::optional<Readiness> look_for_staleness(Context& context) {
  Request request;
  request.path = "/readyz";
  request.limit = kLookLimit;
  const auto got = understood(context.api.send(request), read_readiness);
  if (!got || !got->value.stale) return {};
  return got->value;
}

std::string view(const Pools& pools, const std::optional<Readiness>& stale, base::WallTime now,
                 const Surface& surface) {
  std::string text;
  for (const Pool& pool : pools.pools) {
    text += (text.empty() ? "" : "\n") + pool_view(pool, now, surface);
  }
  if (pools.pools.empty()) text = "no pools\n";
  if (stale) {
    const std::string line =
        wrapped(stale_words(stale->since, stale->reason, now), surface.width, 0);
    text = toned(line, Tone::Bad, surface) + text;
  }
  if (!pools.orphans.empty()) {
    text += (text.empty() ? "" : "\n") + orphans_view(pools.orphans, now);
  }
  return text;
}

// On a terminal a picture that is drawn over; elsewhere documents one after another.
class Watching {
 public:
  Watching(const Options& options, Context& context) : options_(options), context_(context) {}

  Exit run() {
    while (true) {
      const base::MonoTime begun = context_.clock.now().mono;
      auto got = look(options_, context_, heard_ ? kLookLimit : kRequestLimit);
      const bool answered = got.has_value();
      if (const auto exit =
              answered ? on_state(std::move(got->value), got->text) : on_error(got.error())) {
        return *exit;
      }
      const auto took =
          std::chrono::duration_cast<base::Duration>(context_.clock.now().mono - begun);
      // Who did not answer has spent nothing on us: the picture is to be true again soon.
      if (const auto signal =
              pause(answered ? std::max(*options_.watch, kShare * took) : *options_.watch)) {
        screen_.reset();
        return *signal;
      }
    }
  }

 private:
  // A pause ends early when the terminal's size changes: then the same is drawn anew.
  std::optional<Exit> pause(base::Duration duration) {
    const base::MonoTime end = context_.clock.now().mono + duration;
    while (true) {
      const auto left = std::chrono::ceil<base::Duration>(end - context_.clock.now().mono);
      if (left <= base::Duration{0}) return {};
      if (const auto signal = context_.pause(left)) return signal;
      if (context_.clock.now().mono < end) draw();
    }
  }

  std::optional<Exit> on_state(Pools pools, const std::string& text) {
    if (lost_ && !screen_) {
      context_.err << "sluicectl: the authority answers again" << std::endl;
    }
    lost_ = false;
    heard_ = context_.clock.now().mono;
    if (!options_.json) stale_ = look_for_staleness(context_);
    if (options_.json) {
      // On one line, whatever the authority's own lines are.
      const auto document = parse_document(text);
      context_.out << document->dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
    } else if (!context_.out_surface.redraw) {
      const base::WallTime now = context_.clock.now().wall;
      context_.out << (shown_ ? "\n" : "") << local_time(now, now) << '\n'
                   << view(pools, stale_, now, context_.out_surface) << std::flush;
    } else {
      if (!screen_) screen_.emplace(context_.out);
      last_ = std::move(pools);
      draw();
    }
    shown_ = true;
    if (!context_.out.good()) return Exit::Failed;  // stdout's end, which main() tells
    return {};
  }

  std::optional<Exit> on_error(const ApiError& error) {
    if (error.kind == ApiError::Kind::Interrupted) {
      screen_.reset();
      // The signal is still there to be taken: it says which exit it is.
      return context_.pause(base::Duration{0}).value_or(Exit::Interrupted);
    }
    constexpr long kUnavailable = 503;
    const bool passing = error.kind == ApiError::Kind::Unreachable ||
                         error.kind == ApiError::Kind::NoAnswer || error.status == kUnavailable;
    if (!heard_ || !passing) {
      screen_.reset();
      return report(error, options_, context_);
    }
    if (!lost_) {
      lost_ = true;
      if (!screen_) {
        context_.err << "sluicectl: no answer, trying again: "
                     << error.message.substr(0, error.message.find(';')) << std::endl;
      }
    }
    draw();
    return {};
  }

  void draw() {
    if (!screen_) return;
    const Surface surface = context_.surface_now ? context_.surface_now() : context_.out_surface;
    const base::WallTime now = context_.clock.now().wall;
    std::string head = local_time(now, now);
    if (lost_) {
      const auto silent =
          std::chrono::duration_cast<base::Duration>(context_.clock.now().mono - *heard_);
      head = toned(head + "  no answer for " + spoken(silent) + ": what follows is from before",
                   Tone::Bad, surface);
    } else {
      head = toned(head + "  Ctrl-C ends", Tone::Quiet, surface);
    }
    screen_->draw(head + "\n" + view(last_, stale_, now, surface), surface);
  }

  const Options& options_;
  Context& context_;
  Pools last_;
  std::optional<Readiness> stale_;
  std::optional<base::MonoTime> heard_;  // when the authority last answered
  bool shown_ = false;
  bool lost_ = false;
  std::optional<Screen> screen_;
};

}  // namespace

Exit status(const Options& options, Context& context) {
  if (options.watch) return Watching(options, context).run();
  const auto got = look(options, context, kRequestLimit);
  if (!got) return report(got.error(), options, context);
  if (options.json) {
    print_document(got->text, context);
  } else {
    context.out << view(got->value, look_for_staleness(context), context.clock.now().wall,
                        context.out_surface);
  }
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
