#include "health/api/view_json.h"

#include <utility>

#include "config/base/octet_scan.h"
#include "health/api/event_json.h"
#include "health/rfc3339.h"

namespace sluice::health {
namespace {

using nlohmann::ordered_json;

double seconds(std::chrono::milliseconds duration) {
  return static_cast<double>(duration.count()) / 1e3;
}

// As a JSON number, without a document around it: "6.0", "0.25".
std::string seconds_text(std::chrono::milliseconds duration) {
  std::string text = std::to_string(duration.count() / 1'000);
  std::string part = std::to_string(1'000 + duration.count() % 1'000);
  part.front() = '.';
  while (part.size() > 2 && part.back() == '0') part.pop_back();
  return text += part;
}

ordered_json time_or_null(const std::optional<base::WallTime>& time) {
  return time ? ordered_json(to_rfc3339(*time)) : ordered_json();
}

template <class T>
ordered_json word_or_null(const std::optional<T>& value) {
  return value ? ordered_json(to_string(*value)) : ordered_json();
}

ordered_json sessions_or_null(const std::optional<Sessions>& sessions) {
  if (!sessions) return nullptr;
  ordered_json object = ordered_json::object();
  for (const auto& [counter, count] : *sessions) object[counter] = count;
  return object;
}

ordered_json to_json(const Reason& reason) {
  ordered_json object{{"code", reason.code}, {"text", reason.text}};
  if (reason.until) object["until"] = to_rfc3339(*reason.until);
  return object;
}

ordered_json to_json(const AnswerSetView& set) {
  return {{"owner", set.owner},
          {"service", set.service},
          {"fallback", to_string(set.fallback)},
          {"members", set.members},
          {"accepting", set.accepting},
          {"min_accepting", set.min_accepting},
          {"since", to_rfc3339(set.since)},
          {"cache_horizon", to_rfc3339(set.cache_horizon)}};
}

ordered_json to_json(const ExplainedMember& member) {
  ordered_json object{
      {"server", member.server}, {"in", member.in}, {"rule", member.rule}, {"text", member.text}};
  if (member.since) object["since"] = to_rfc3339(*member.since);
  if (!member.by.empty()) object["by"] = member.by;
  return object;
}

ordered_json to_json(const base::IpAddress& address) {
  return address.to_string();
}

ordered_json to_json(const base::SocketAddress& address) {
  return address.to_string();
}

ordered_json to_json(const HookOutcome& hook) {
  return {{"state", hook.state}, {"text", hook.text}};
}

ordered_json to_json(const Refusal& refusal) {
  ordered_json object{{"rule", refusal.rule}, {"numbers", refusal.numbers}};
  if (!refusal.answer_set.empty()) object["answer_set"] = refusal.answer_set;
  object["detail"] = refusal.detail;
  return object;
}

ordered_json to_json(const ClusterResponderView& responder) {
  ordered_json object{{"name", responder.name},
                      {"self", responder.self},
                      {"alive", responder.alive},
                      {"decides", responder.decides},
                      {"publication", responder.publication},
                      {"generation", responder.generation},
                      {"behind", responder.behind}};
  object["unconfirmed_since"] = time_or_null(responder.unconfirmed_since);
  object["clock_offset"] =
      responder.clock_offset ? ordered_json(seconds(*responder.clock_offset)) : ordered_json();
  object["since"] = time_or_null(responder.since);
  object["version"] = responder.version;
  object["dns"] = responder.dns;
  object["api"] = responder.api;
  object["configuration"] = responder.configuration;
  object["same_configuration"] = responder.same_configuration;
  return object;
}

// Octets that are no UTF-8 come out as U+FFFD.
std::string dump(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

void append_quoted(std::string& text, const std::string& word) {
  if (word.empty()) {
    text.append("\"\"");
    return;
  }
  if (base::plain_json_octets(word) == word.size()) {
    text.append("\"").append(word).append("\"");
  } else {
    text += dump(word);
  }
}

template <class T>
ordered_json array_of(const std::vector<T>& values) {
  ordered_json array = ordered_json::array();
  for (const T& value : values) array.push_back(to_json(value));
  return array;
}

}  // namespace

ordered_json to_json(const Verdict& verdict) {
  return {{"safe_to_stop", verdict.safe_to_stop},
          {"reasons", array_of(verdict.reasons)},
          {"warnings", verdict.warnings}};
}

ordered_json to_json(const HoldView& hold) {
  ordered_json object{{"scope", to_string(hold.scope)},
                      {"origin", to_string(hold.origin)},
                      {"by", hold.by},
                      {"reason", hold.reason},
                      {"since", to_rfc3339(hold.since)},
                      {"startup", to_string(hold.startup)},
                      {"forced", hold.forced},
                      {"hide_host", hold.hide_host}};
  if (hold.expiry) {
    object["expires"] = to_rfc3339(hold.expiry->at);
    object["then"] = to_string(hold.expiry->then);
    if (hold.expiry->alarmed) object["alarmed"] = true;
  }
  if (hold.local) object["local"] = true;
  return object;
}

ordered_json to_json(const ScheduleView& schedule) {
  const bool expires = schedule.kind == ScheduleView::Kind::Expiry || schedule.expires;
  // A text: numbers are for those that count something.
  ordered_json object{{"id", std::to_string(schedule.id)}, {"kind", to_string(schedule.kind)}};
  object["server"] = schedule.server;
  object["service"] = text_or_null(schedule.service);
  object["at"] = to_rfc3339(schedule.at);
  object["leaves_at"] = time_or_null(schedule.leaves_at);
  object["by"] = schedule.by;
  object["reason"] = schedule.reason;
  object["startup"] = word_or_null(schedule.startup);
  object["hide_host"] = schedule.hide_host;
  object["force"] = schedule.force;
  object["expires"] = time_or_null(schedule.expires);
  object["then"] = expires ? ordered_json(to_string(schedule.then)) : ordered_json();
  object["created"] = to_rfc3339(schedule.created);
  object["warnings"] = schedule.warnings;
  return object;
}

ordered_json to_json(const ServiceView& service) {
  ordered_json object{{"title", service.title},
                      {"consolidates", service.consolidates},
                      {"status", to_string(service.status)},
                      {"health", word_or_null(service.health)},
                      {"forced", word_or_null(service.forced)}};
  object["instance"] = service.instance ? ordered_json(*service.instance) : ordered_json();
  object["startup"] = to_string(service.startup);
  object["sessions"] = sessions_or_null(service.sessions);
  object["last_new_connection"] = service.last_new_connection
                                      ? ordered_json(seconds(*service.last_new_connection))
                                      : ordered_json();
  object["in_answers"] = service.in_answers;
  object["cache_horizon"] = time_or_null(service.cache_horizon);
  object["holds"] = array_of(service.holds);
  object["hook"] = service.hook ? to_json(*service.hook) : ordered_json();
  object["verdict"] = to_json(service.verdict);
  return object;
}

ordered_json to_json(const ServerView& server) {
  ordered_json lease{{"state", to_string(server.lease)}};
  lease["expires_in"] = server.lease == LeaseState::Current
                            ? ordered_json(seconds(server.lease_expires_in))
                            : ordered_json();
  ordered_json services = ordered_json::object();
  for (const ServiceView& service : server.services) services[service.name] = to_json(service);
  ordered_json object{{"server", server.server},
                      {"pool", server.pool},
                      {"addresses", array_of(server.addresses)},
                      {"weight", server.weight}};
  object["domain"] = text_or_null(server.domain);
  object["lease"] = std::move(lease);
  object["host_hidden"] = server.host_hidden;
  object["services"] = std::move(services);
  object["schedules"] = array_of(server.schedules);
  object["verdict"] = to_json(server.verdict);
  object["warnings"] = server.warnings;
  return object;
}

ordered_json to_json(const PoolView& pool) {
  ordered_json answer_size;
  if (pool.answer_size != 0) answer_size = pool.answer_size;
  return {{"pool", pool.pool},
          {"service", pool.service},
          {"generation", pool.generation},
          {"ttl", pool.ttl.count()},
          {"answer_size", std::move(answer_size)},
          {"last_resort", array_of(pool.last_resort)},
          {"min_accepting", pool.min_accepting},
          {"dns_load_balancing", pool.dns_load_balancing},
          {"mass_loss_guard", pool.mass_loss_guard},
          {"answer_sets", array_of(pool.answer_sets)},
          {"servers", array_of(pool.servers)},
          {"warnings", pool.warnings}};
}

ordered_json to_json(const ResponderView& responder) {
  return {
      {"name", responder.name}, {"listen", array_of(responder.listen)}, {"zones", responder.zones}};
}

ordered_json to_json(const OrphanView& orphan) {
  ordered_json object{{"server", orphan.server}};
  object["service"] = text_or_null(orphan.service);
  object["hold"] = to_json(orphan.hold);
  return object;
}

ordered_json to_json(const ClusterView& cluster) {
  ordered_json object{{"id", cluster.id}, {"prefix", cluster.prefix}};
  object["state"] = to_string(cluster.state);
  object["stale"] = cluster.stale_since.has_value();
  object["stale_since"] = time_or_null(cluster.stale_since);
  object["revision"] = cluster.revision;
  object["alarm"] = text_or_null(cluster.alarm);
  object["decider"] = text_or_null(cluster.decider);
  object["generation"] = cluster.generation;
  object["publication"] = cluster.publication;
  object["responders"] = array_of(cluster.responders);
  object["warnings"] = cluster.warnings;
  return object;
}

ordered_json to_json(const Explanation& explanation) {
  return {{"answer_set", explanation.answer_set},
          {"service", explanation.service},
          {"fallback", to_string(explanation.fallback)},
          {"members", array_of(explanation.members)}};
}

ordered_json to_json(const DrainReply& reply) {
  return {{"generation", reply.generation},
          {"confirmed_by", reply.confirmed_by},
          {"unconfirmed", reply.unconfirmed},
          {"cache_horizon", time_or_null(reply.cache_horizon)},
          {"warnings", reply.warnings}};
}

ordered_json to_json(const ResumeReply& reply) {
  ordered_json object{{"generation", reply.generation}, {"warnings", reply.warnings}};
  if (!reply.confirmed_by.empty() || !reply.unconfirmed.empty()) {
    object["confirmed_by"] = reply.confirmed_by;
    object["unconfirmed"] = reply.unconfirmed;
  }
  return object;
}

std::string to_text(const HeartbeatReply& reply) {
  constexpr std::size_t kHead = 64;
  constexpr std::size_t kOrder = 96;  // with a name that is not long
  std::string text;
  text.reserve(kHead + kOrder * reply.services.size());
  text.append(R"({"generation":)").append(std::to_string(reply.generation));
  text.append(R"(,"lease":)").append(seconds_text(reply.lease));
  if (reply.stale) text.append(R"(,"stale":true)");
  text.append(R"(,"services":{)");
  bool first = true;
  for (const auto& [name, order] : reply.services) {
    if (!std::exchange(first, false)) text += ',';
    append_quoted(text, name);
    text += order.held ? R"(:{"held":true,"reason":)" : R"(:{"held":false,"reason":)";
    append_quoted(text, order.reason);
    text += order.lift ? R"(,"lift":true,"refused":)" : R"(,"lift":false,"refused":)";
    if (order.refused) {
      text += dump(to_json(*order.refused));
    } else {
      text += "null";
    }
    if (order.pending) text += R"(,"pending":true)";
    text += '}';
  }
  return text += "}}";
}

}  // namespace sluice::health
