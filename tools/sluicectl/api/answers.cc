#include "tools/sluicectl/api/answers.h"

#include <algorithm>

namespace sluice::ctl {
namespace {

// "none" is how the authority may say that nothing is special.
std::string read_fallback(JsonReader& reader) {
  std::string fallback = reader.text_if("fallback").value_or("");
  return fallback == "none" ? "" : fallback;
}

// What is no address is none that a server could have.
std::vector<base::IpAddress> read_addresses(JsonReader& reader, std::string_view member) {
  std::vector<base::IpAddress> addresses;
  for (const std::string& text : reader.texts(member)) {
    if (const auto address = base::IpAddress::parse(text)) addresses.push_back(*address);
  }
  return addresses;
}

Reason read_reason(JsonReader& reader) {
  return {
      .code = reader.text("code"), .text = reader.text("text"), .until = reader.time_if("until")};
}

Hold read_hold(JsonReader& reader) {
  return {.scope = reader.text("scope"),
          .origin = reader.text("origin"),
          .by = reader.text_if("by").value_or(""),
          .reason = reader.text_if("reason").value_or(""),
          .startup = reader.text_if("startup").value_or(""),
          .forced = reader.flag_if("forced").value_or(false),
          .hide_host = reader.flag_if("hide_host").value_or(false),
          .local = reader.flag_if("local").value_or(false),
          .since = reader.time_if("since"),
          .expires = reader.time_if("expires"),
          .then = reader.text_if("then").value_or(""),
          .alarmed = reader.flag_if("alarmed").value_or(false)};
}

Verdict read_verdict_of(JsonReader& owner) {
  auto reader = owner.object_if("verdict");
  return reader ? read_verdict(*reader) : Verdict{};
}

Service read_service(const std::string& name, JsonReader& reader) {
  Service service;
  service.name = name;
  service.title = reader.text_if("title").value_or("");
  service.consolidates = reader.texts("consolidates");
  service.status = reader.text("status");
  service.health = reader.text_if("health").value_or("");
  service.forced = reader.text_if("forced").value_or("");
  service.startup = reader.text_if("startup").value_or("");
  service.sessions = reader.numbers_if("sessions");
  service.in_answers = reader.flag("in_answers");
  service.cache_horizon = reader.time_if("cache_horizon");
  reader.each("holds", [&](JsonReader& hold) { service.holds.push_back(read_hold(hold)); });
  if (auto hook = reader.object_if("hook")) {
    service.hook_state = hook->text_if("state").value_or("");
    service.hook_text = hook->text_if("text").value_or("");
  }
  service.verdict = read_verdict_of(reader);
  return service;
}

AnswerSet read_answer_set(JsonReader& reader) {
  return {.owner = reader.text("owner"),
          .service = reader.text_if("service").value_or(""),
          .fallback = read_fallback(reader),
          .members = reader.texts("members"),
          .accepting = reader.number_if("accepting"),
          .min_accepting = reader.number_if("min_accepting"),
          .since = reader.time_if("since"),
          .cache_horizon = reader.time_if("cache_horizon")};
}

ExplainedMember read_member(JsonReader& reader) {
  return {.server = reader.text("server"),
          .in = reader.flag("in"),
          .rule = reader.text("rule"),
          .text = reader.text_if("text").value_or(""),
          .since = reader.time_if("since"),
          .by = reader.text_if("by").value_or("")};
}

Orphan read_orphan(JsonReader& reader) {
  Orphan orphan{.server = reader.text("server"),
                .service = reader.text_if("service").value_or(""),
                .hold = {}};
  if (auto hold = reader.object_if("hold")) orphan.hold = read_hold(*hold);
  return orphan;
}

ClusterResponder read_cluster_responder(JsonReader& reader) {
  return {.name = reader.text("name"),
          .self = reader.flag_if("self").value_or(false),
          .alive = reader.flag("alive"),
          .decides = reader.flag_if("decides").value_or(false),
          .generation = reader.number_if("generation").value_or(0),
          .behind = reader.number_if("behind").value_or(0),
          .unconfirmed_since = reader.time_if("unconfirmed_since"),
          .clock_offset = reader.decimal_if("clock_offset"),
          .version = reader.text_if("version").value_or(""),
          .dns = reader.texts("dns"),
          .api = reader.texts("api"),
          .same_configuration = reader.flag_if("same_configuration").value_or(true)};
}

}  // namespace

const Reason* Verdict::reason(std::string_view code) const {
  const auto found = std::ranges::find(reasons, code, &Reason::code);
  return found == reasons.end() ? nullptr : &*found;
}

bool Verdict::hopeless() const {
  const auto by_dns = [](const Reason& each) { return each.code != "not-by-dns"; };
  return !safe_to_stop && !reasons.empty() && std::ranges::none_of(reasons, by_dns);
}

const Service* Server::service(std::string_view wanted) const {
  const auto found = std::ranges::find(services, wanted, &Service::name);
  return found == services.end() ? nullptr : &*found;
}

const Server* Pool::server(std::string_view fqdn) const {
  const auto found = std::ranges::find(servers, fqdn, &Server::name);
  return found == servers.end() ? nullptr : &*found;
}

const AnswerSet* Pool::answer_set(std::string_view owner) const {
  const auto found = std::ranges::find(answer_sets, owner, &AnswerSet::owner);
  return found == answer_sets.end() ? nullptr : &*found;
}

Verdict read_verdict(JsonReader& reader) {
  Verdict verdict;
  verdict.safe_to_stop = reader.flag("safe_to_stop");
  reader.each("reasons", [&](JsonReader& each) { verdict.reasons.push_back(read_reason(each)); });
  verdict.warnings = reader.texts("warnings");
  return verdict;
}

Schedule read_schedule(JsonReader& reader) {
  return {.id = reader.text("id"),
          .kind = reader.text("kind"),
          .server = reader.text("server"),
          .service = reader.text_if("service").value_or(""),
          .at = reader.time("at"),
          .leaves_at = reader.time_if("leaves_at"),
          .by = reader.text_if("by").value_or(""),
          .reason = reader.text_if("reason").value_or(""),
          .expires = reader.time_if("expires"),
          .then = reader.text_if("then").value_or(""),
          .warnings = reader.texts("warnings")};
}

std::vector<Schedule> read_schedules(JsonReader& reader) {
  std::vector<Schedule> all;
  if (!reader.has("schedules")) reader.text("schedules");  // `{}` is no list of none
  reader.each("schedules", [&](JsonReader& each) { all.push_back(read_schedule(each)); });
  return all;
}

Server read_server(JsonReader& reader) {
  Server server;
  server.name = reader.text("server");
  server.pool = reader.text_if("pool").value_or("");
  server.addresses = read_addresses(reader, "addresses");
  server.domain = reader.text_if("domain").value_or("");
  if (auto lease = reader.object_if("lease")) {
    server.lease = lease->text_if("state").value_or("");
  }
  server.host_hidden = reader.flag_if("host_hidden").value_or(false);
  reader.each_member("services", [&](const std::string& name, JsonReader& each) {
    server.services.push_back(read_service(name, each));
  });
  reader.each("schedules",
              [&](JsonReader& each) { server.schedules.push_back(read_schedule(each)); });
  server.verdict = read_verdict_of(reader);
  server.warnings = reader.texts("warnings");
  return server;
}

Pool read_pool(JsonReader& reader) {
  Pool pool;
  pool.name = reader.text("pool");
  pool.service = reader.text_if("service").value_or("");
  pool.generation = reader.number_if("generation").value_or(0);
  pool.min_accepting = reader.number_if("min_accepting").value_or(0);
  pool.ttl = reader.number_if("ttl");
  pool.answer_size = reader.number_if("answer_size").value_or(0);
  pool.last_resort = read_addresses(reader, "last_resort");
  pool.dns_load_balancing = reader.flag_if("dns_load_balancing").value_or(true);
  pool.mass_loss_guard = reader.flag_if("mass_loss_guard").value_or(false);
  reader.each("answer_sets",
              [&](JsonReader& each) { pool.answer_sets.push_back(read_answer_set(each)); });
  reader.each("servers", [&](JsonReader& each) { pool.servers.push_back(read_server(each)); });
  pool.warnings = reader.texts("warnings");
  return pool;
}

std::vector<Responder> read_responders(JsonReader& reader) {
  std::vector<Responder> all;
  if (!reader.has("responders")) reader.text("responders");  // `{}` is no list of none
  reader.each("responders", [&](JsonReader& each) {
    Responder responder{.name = each.text("name"), .listen = {}, .zones = each.texts("zones")};
    for (const std::string& text : each.texts("listen")) {
      if (const auto address = base::SocketAddress::parse(text)) {
        responder.listen.push_back(*address);
      }
    }
    all.push_back(std::move(responder));
  });
  return all;
}

Pools read_pools(JsonReader& reader) {
  Pools all;
  // Without this a foreign `{}` would pass for an authority that has no pools.
  if (!reader.has("pools")) reader.text("pools");
  reader.each("pools", [&](JsonReader& each) { all.pools.push_back(read_pool(each)); });
  reader.each("orphans", [&](JsonReader& each) { all.orphans.push_back(read_orphan(each)); });
  return all;
}

Acknowledgement read_acknowledgement(JsonReader& reader) {
  return {.generation = reader.number("generation"),
          .confirmed_by = reader.texts("confirmed_by"),
          .unconfirmed = reader.texts("unconfirmed"),
          .cache_horizon = reader.time_if("cache_horizon"),
          .warnings = reader.texts("warnings")};
}

Cluster read_cluster(JsonReader& reader) {
  Cluster cluster{.prefix = reader.text_if("prefix").value_or(""),
                  .state = reader.text("state"),
                  .stale = reader.flag("stale"),
                  .stale_since = reader.time_if("stale_since"),
                  .alarm = reader.text_if("alarm").value_or(""),
                  .decider = reader.text_if("decider").value_or(""),
                  .generation = reader.number_if("generation").value_or(0),
                  .publication = reader.number_if("publication").value_or(0),
                  .responders = {},
                  .warnings = reader.texts("warnings")};
  reader.each("responders", [&](JsonReader& each) {
    cluster.responders.push_back(read_cluster_responder(each));
  });
  return cluster;
}

Readiness read_readiness(JsonReader& reader) {
  return {.stale = reader.flag_if("stale").value_or(false),
          .since = reader.time_if("since"),
          .reason = reader.text_if("reason").value_or("")};
}

Explanation read_explanation(JsonReader& reader) {
  Explanation explanation;
  explanation.name = reader.text("name");
  explanation.type = reader.text_if("type").value_or("");
  explanation.answer_set = reader.text_if("answer_set").value_or("");
  explanation.service = reader.text_if("service").value_or("");
  explanation.fallback = read_fallback(reader);
  reader.each("members",
              [&](JsonReader& each) { explanation.members.push_back(read_member(each)); });
  return explanation;
}

}  // namespace sluice::ctl
