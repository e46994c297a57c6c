#include "health/api/routes.h"

#include <array>

#include "health/api/handlers.h"

namespace sluice::health {
namespace {

// What every order to a server may meet: no such server, a rule, no store.
const std::vector<int> kOrderFailures{404, 409, 503, 507};

const std::vector<Route>& table() {
  using enum Method;
  static const std::vector<Route> kTable{
      {Get,
       "/v1/pools",
       Access::Reader,
       "All pools with their servers",
       handlers::pools,
       "",
       "Pools",
       {},
       {503}},
      {Get,
       "/v1/pools/{pool}",
       Access::Reader,
       "One pool with its servers",
       handlers::pool,
       "",
       "Pool",
       {},
       {404}},
      {Get,
       "/v1/servers/{server}",
       Access::ReaderOrAgent,
       "One server",
       handlers::server,
       "",
       "Server",
       {},
       {404}},
      {Post,
       "/v1/servers/{server}/drain",
       Access::Operator,
       "Place a hold: 200 when no answer names the server any more and the hold is durable, 202 "
       "when responders of the cluster have not confirmed that (`unconfirmed`); with `at` plan "
       "one: 201 when that is durable; with `local_force` for this responder alone, while the "
       "cluster's store can't be reached",
       handlers::drain,
       "DrainOrder",
       "DrainReply",
       {},
       kOrderFailures,
       "Schedule",
       true},
      {Post,
       "/v1/servers/{server}/pause",
       Access::Operator,
       "Another word for drain",
       handlers::drain,
       "DrainOrder",
       "DrainReply",
       {},
       kOrderFailures,
       "Schedule",
       true},
      {Post,
       "/v1/servers/{server}/resume",
       Access::Operator,
       "Lift a hold",
       handlers::resume,
       "ResumeOrder",
       "OrderReply",
       {},
       {404, 409, 503, 504, 507},
       "",
       true},
      {Post,
       "/v1/servers/{server}/force",
       Access::Operator,
       "Force the health of a server, or lift that",
       handlers::force,
       "ForceOrder",
       "OrderReply",
       {},
       kOrderFailures,
       "",
       true},
      {Put,
       "/v1/servers/{server}/heartbeat",
       Access::Agent,
       "What an agent sees",
       handlers::heartbeat,
       "Heartbeat",
       "HeartbeatReply",
       {},
       kOrderFailures,
       "",
       false,
       true},
      {Get,
       "/v1/servers/{server}/verdict",
       Access::ReaderOrAgent,
       "Whether it is safe to take the server, or one service of it, offline",
       handlers::verdict,
       "",
       "Verdict",
       {"service"},
       {404}},
      {Get,
       "/v1/servers/{server}/history",
       Access::Reader,
       "What happened to a server: the newest entries of the audit and changes of status",
       handlers::history,
       "",
       "History",
       {"limit"},
       {404, 503, 507}},
      {Get,
       "/v1/schedules",
       Access::Reader,
       "Drains that are planned, and holds that end by themselves",
       handlers::schedules,
       "",
       "Schedules",
       {},
       {}},
      {Get,
       "/v1/schedules/{id}",
       Access::Reader,
       "One of them",
       handlers::schedule,
       "",
       "Schedule",
       {},
       {404}},
      {Delete,
       "/v1/schedules/{id}",
       Access::Operator,
       "Forget a planned drain, or let a hold stand for good; what it was is the reply",
       handlers::cancel,
       "",
       "Schedule",
       {},
       {404, 503, 507}},
      {Get,
       "/v1/events",
       Access::Reader,
       "What happens, as it happens: Server-Sent Events, each an Event by its type; a "
       "Last-Event-ID "
       "resumes after that one, or gets a `reset` first",
       handlers::events,
       "",
       "text/event-stream",
       {},
       {503}},
      {Get,
       "/v1/explain",
       Access::Reader,
       "Who is in an answer, and by which rule",
       handlers::explain,
       "",
       "Explanation",
       {"name", "type"},
       {404}},
      {Get,
       "/v1/responders",
       Access::Reader,
       "Who answers DNS by this authority's state, where, and for which zones",
       handlers::responders,
       "",
       "Responders",
       {},
       {}},
      {Get,
       "/v1/cluster",
       Access::Reader,
       "The responders that share one state, as this one knows them; 404: it has the embedded "
       "store",
       handlers::cluster,
       "",
       "Cluster",
       {},
       {404}},
      {Post,
       "/v1/cluster/forget",
       Access::OperatorOfAll,
       "Forget a responder that will not return: drains and verdicts wait for it no more; 409 "
       "(rule `alive`) while it is alive",
       handlers::forget,
       "ForgetOrder",
       "Forgotten",
       {},
       {404, 409, 503, 507}},
      {Get,
       "/v1/names",
       Access::Reader,
       "The names that begin with `prefix`: of `kind` server, pool, service or owner (of answer "
       "sets); `limit` of them at most, then `more` is true",
       handlers::names,
       "",
       "Names",
       {"kind", "prefix", "limit"},
       {}},
      {Post,
       "/v1/reload",
       Access::OperatorOfAll,
       "Take over the configuration, all of it or nothing",
       handlers::reload,
       "Nothing",
       "Reloaded",
       {},
       {409}},
      {Get,
       "/v1/backup",
       Access::OperatorOfAll,
       "A consistent copy of the store",
       handlers::backup,
       "",
       "application/vnd.sqlite3",
       {},
       {503, 507}},
      {Get,
       "/v1/version",
       Access::Reader,
       "The version of this program",
       handlers::version,
       "",
       "Version",
       {},
       {}},
      {Get,
       "/v1/openapi.json",
       Access::Anyone,
       "This document",
       handlers::openapi,
       "",
       "Document",
       {},
       {}},
      {Get, "/healthz", Access::Anyone, "Alive", handlers::healthz, "", "State", {}, {}},
      {Get, "/readyz", Access::Anyone, "Serving", handlers::readyz, "", "State", {}, {503}},
      {Get,
       "/metrics",
       Access::Reader,
       "Figures in Prometheus' text format",
       handlers::metrics,
       "",
       "text/plain",
       {},
       {}},
  };
  return kTable;
}

}  // namespace

std::span<const Route> routes() {
  return table();
}

const char* to_string(Method method) noexcept {
  switch (method) {
    case Method::Get:
      return "GET";
    case Method::Head:
      return "HEAD";
    case Method::Post:
      return "POST";
    case Method::Put:
      return "PUT";
    case Method::Delete:
      return "DELETE";
    case Method::Patch:
      return "PATCH";
    case Method::Options:
      return "OPTIONS";
    case Method::Trace:
      return "TRACE";
  }
  return "";
}

std::optional<base::FlatMap<std::string_view, std::string>> match(const Route& route,
                                                                  const Target& target) {
  base::FlatMap<std::string_view, std::string> values;
  std::string_view path = route.path.substr(1);
  for (std::size_t i = 0; i < target.segments.size(); ++i) {
    const std::size_t slash = path.find('/');
    const std::string_view wanted = path.substr(0, slash);
    if (wanted.starts_with('{')) {
      values.emplace(wanted.substr(1, wanted.size() - 2), target.segments[i]);
    } else if (wanted != target.segments[i]) {
      return {};
    }
    if (slash == std::string_view::npos) {
      if (i + 1 == target.segments.size()) return values;
      return {};
    }
    path.remove_prefix(slash + 1);
  }
  return {};
}

}  // namespace sluice::health
