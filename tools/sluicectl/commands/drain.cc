#include <algorithm>
#include <ostream>

#include "tools/sluicectl/commands/commands.h"
#include "tools/sluicectl/commands/wait.h"
#include "tools/sluicectl/render/cluster_view.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/render/words.h"
#include "tools/sluicectl/time_words.h"

namespace sluice::ctl {
namespace {

constexpr long kCreated = 201;

void put(Json& body, const char* member, const std::string& text) {
  if (!text.empty()) body[member] = text;
}

// Octets that are not UTF-8 would make no JSON; the authority gets a text that people can read.
std::string to_body(const Json& body) {
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// `at`: as the API takes it.
Request drain_request(const Options& options, const std::string& at) {
  Json body = Json::object();
  put(body, "service", options.service);
  put(body, "reason", options.reason);
  put(body, "startup", options.startup);
  put(body, "at", at);
  put(body, "expires", options.expires);
  put(body, "then", options.then);
  if (options.hide_host) body["hide_host"] = true;
  if (options.force) body["force"] = true;
  if (options.local_force) body["local_force"] = true;
  return {.method = Request::Method::Post,
          .path = server_path(options, "/drain"),
          .body = to_body(body)};
}

// What it still serves; nothing when it cannot be asked, since the drain itself is done.
std::optional<Server> server_now(const Options& options, Context& context) {
  Request request;
  request.path = server_path(options, "");
  auto got = understood(context.api.send(request), read_server);
  if (!got) return {};
  return std::move(got->value);
}

void print_sessions(const Server& server, const Options& options, Context& context) {
  std::vector<std::string> left;
  for (const Service& service : server.services) {
    if (!options.service.empty() && service.name != options.service) continue;
    bool any = !service.sessions;
    for (const auto& [counter, count] : service.sessions.value_or(Counters{})) any |= count > 0;
    if (any) left.push_back(service.name + " " + sessions_words(service));
  }
  context.out << wrapped(left.empty() ? "no sessions left" : "sessions left: " + joined(left, ", "),
                         context.out_surface.width, 0);
}

// Whether answers name what was drained all the same (when_all_held: serve_held).
bool still_answered(const Server& server, const std::string& service) {
  return std::ranges::any_of(server.services, [&](const Service& each) {
    return each.in_answers && (service.empty() || each.name == service);
  });
}

// It is in force and durable (202), and yet not everywhere.
void warn_unconfirmed(const Acknowledgement& reply, bool held, Context& context) {
  if (!reply.unconfirmed.empty()) warn({unconfirmed_words(reply.unconfirmed, held)}, context);
}

// When it ends by itself, where it does.
void print_end(const Server& server, const Options& options, Context& context) {
  const base::WallTime now = context.clock.now().wall;
  for (const Service& service : server.services) {
    for (const Hold& hold : service.holds) {
      const bool ours = hold.scope == (options.service.empty() ? "server" : "service") &&
                        (options.service.empty() || service.name == options.service);
      if (!ours || !hold.expires) continue;
      context.out << "held " << expiry_words(hold, now) << '\n';
      return;
    }
  }
}

Exit print_planned(const Answer& answer, const Options& options, Context& context) {
  const auto got = understood<Schedule>(answer, read_schedule);
  if (!got) return report(got.error(), options, context);
  const Schedule& plan = got->value;
  if (options.json) {
    print_document(got->text, context);
  } else {
    const base::WallTime now = context.clock.now().wall;
    context.out << wrapped(subject_words(plan.server, plan.service) + ' ' + plan_words(plan, now),
                           context.out_surface.width, 0);
    if (plan.expires) {
      context.out << "held from then on until " << local_time(*plan.expires, now)
                  << (plan.then == "alarm" ? ", then an alarm\n" : ", then lifted\n");
    }
    context.out << "`sluicectl schedule cancel " << plan.id << "` cancels it\n";
  }
  warn(plan.warnings, context);
  return Exit::Done;
}

void print_drained(const Acknowledgement& reply, const Options& options, Context& context) {
  const auto server = server_now(options, context);
  const std::string name = server ? server->name : printable(options.server);
  const bool answered = server && still_answered(*server, options.service);
  std::string line = subject_words(name, printable(options.service));
  if (answered) {
    line += " is held, but still answered (when_all_held: serve_held)";
  } else {
    line += options.service.empty() ? " left every answer" : " left every answer of its own";
  }
  line += ": generation " + std::to_string(reply.generation);
  if (!reply.confirmed_by.empty()) line += ", confirmed by " + joined(reply.confirmed_by, ", ");
  context.out << wrapped(line, context.out_surface.width, 0);
  if (reply.cache_horizon) {
    context.out << caches_words(*reply.cache_horizon, context.clock.now().wall) << '\n';
  } else if (!answered) {
    context.out << "no answer ever named it: no cache has it\n";
  }
  if (server) {
    print_end(*server, options, context);
    print_sessions(*server, options, context);
  }
  context.out.flush();
}

}  // namespace

Exit drain(const Options& options, Context& context) {
  std::string at;
  if (!options.at.empty()) {
    auto time = api_time(options.at, context.clock.now().wall);
    if (!time) {
      return report(Exit::Usage, "no such time", "--at: " + time.error(), options, context);
    }
    at = *std::move(time);
  }
  if (const auto past = no_future(options.expires, context.clock.now().wall)) {
    return report(Exit::Usage, "no such time", "--expires: " + *past, options, context);
  }
  auto answer = context.api.send(drain_request(options, at));
  if (answer && answer->status == kCreated) return print_planned(*answer, options, context);
  const auto got = understood(std::move(answer), read_acknowledgement);
  if (!got) {
    const bool unknown = got.error().kind == ApiError::Kind::NoAnswer ||
                         got.error().kind == ApiError::Kind::Interrupted;
    const Exit exit = report(got.error(), options, context);
    if (unknown) context.err << "The hold may be in force: `sluicectl status` tells.\n";
    if (got.error().problem.rule == "floor") {
      context.err << "With --force it is drained all the same.\n";
    }
    return exit;
  }
  const Acknowledgement& reply = got->value;
  if (options.json) {
    print_document(got->text, context);
    context.out.flush();
  } else {
    print_drained(reply, options, context);
  }
  warn_unconfirmed(reply, true, context);
  warn(reply.warnings, context);
  if (!options.wait) return Exit::Done;
  return wait_until(
      {.accepting = false, .placed = true, .unconfirmed_told = !reply.unconfirmed.empty()}, options,
      context);
}

Exit resume(const Options& options, Context& context) {
  Json body = Json::object();
  put(body, "service", options.service);
  const Request request{.method = Request::Method::Post,
                        .path = server_path(options, "/resume"),
                        .body = to_body(body)};
  const auto got = understood(context.api.send(request), read_acknowledgement);
  if (!got) return report(got.error(), options, context);
  if (options.json) {
    print_document(got->text, context);
  } else {
    context.out << subject_words(printable(options.server), printable(options.service))
                << " resumed: generation " << got->value.generation << '\n';
  }
  warn_unconfirmed(got->value, false, context);
  warn(got->value.warnings, context);
  return Exit::Done;
}

Exit force(const Options& options, Context& context) {
  Json body = Json::object();
  put(body, "service", options.service);
  const bool lifted = options.command == Command::Unforce;
  const std::string health = options.command == Command::ForceUp ? "up" : "down";
  body["health"] = lifted ? Json(nullptr) : Json(health);
  const Request request{.method = Request::Method::Post,
                        .path = server_path(options, "/force"),
                        .body = to_body(body)};
  const auto got = understood(context.api.send(request), read_acknowledgement);
  if (!got) return report(got.error(), options, context);
  if (options.json) {
    print_document(got->text, context);
  } else {
    context.out << subject_words(printable(options.server), printable(options.service))
                << (lifted ? " goes by its measured health" : " forced " + health)
                << ": generation " << got->value.generation << '\n';
  }
  warn_unconfirmed(got->value, false, context);
  warn(got->value.warnings, context);
  return Exit::Done;
}

}  // namespace sluice::ctl
