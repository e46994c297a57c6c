#include "tools/sluicectl/import/report.h"

#include "health/rfc3339.h"
#include "health/stored_words.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {
namespace {

std::string many(std::size_t count, const std::string& one, const std::string& several) {
  return std::to_string(count) + " " + (count == 1 ? one : several);
}

std::string place(const std::string& server, const std::string& service) {
  return health::name_of(health::HoldKey{server, service, health::Origin::Operator});
}

std::string and_reason(const std::string& reason) {
  return reason.empty() ? std::string() : ": " + reason;
}

std::string line_of(const health::Hold& hold) {
  return "hold on " + health::name_of(hold.key) + ", " +
         std::string(word(health::kOrigins, hold.key.origin)) +
         (hold.by.empty() ? "" : " " + hold.by) + ", since " + health::to_rfc3339(hold.since) +
         and_reason(hold.reason);
}

std::string line_of(const health::PutForce& force) {
  return "forced " + std::string(word(health::kHealth, force.health.value_or(health::Health::Up))) +
         " " + place(force.server, force.service) + (force.by.empty() ? "" : ", " + force.by);
}

std::string line_of(const health::PlannedDrain& plan) {
  return "planned drain " + std::to_string(plan.id) + " of " + place(plan.server, plan.service) +
         " at " + health::to_rfc3339(plan.at) + (plan.by.empty() ? "" : ", " + plan.by) +
         and_reason(plan.reason);
}

Json hold_json(const health::Hold& hold) {
  Json object{{"server", hold.key.server},
              {"origin", word(health::kOrigins, hold.key.origin)},
              {"by", hold.by},
              {"reason", hold.reason},
              {"since", health::to_rfc3339(hold.since)}};
  if (!hold.key.service.empty()) object["service"] = hold.key.service;
  return object;
}

Json force_json(const health::PutForce& force) {
  return {{"server", force.server},
          {"service", force.service},
          {"health", word(health::kHealth, force.health.value_or(health::Health::Up))},
          {"by", force.by}};
}

Json plan_json(const health::PlannedDrain& plan) {
  Json object{{"id", std::to_string(plan.id)},
              {"server", plan.server},
              {"at", health::to_rfc3339(plan.at)},
              {"by", plan.by},
              {"reason", plan.reason}};
  if (!plan.service.empty()) object["service"] = plan.service;
  return object;
}

std::string source(const Import& import) {
  if (import.copied == 0) return "";
  return " (its copy of cluster " + import.cluster + " as of revision " +
         std::to_string(import.copied) + ")";
}

// Nothing older ever replaces something newer, and by the revision it would.
std::string counting_words(const Import& import) {
  const std::string copy = import.directory + "/cluster.db";
  return "etcd was made anew: its revision is " + std::to_string(import.counts_anew) +
         ", and a responder that knows a higher one refuses it. " +
         (import.put_away.empty() ? copy + " will be put away under another name"
                                  : copy + " is " + import.put_away + " now") +
         "; at each other responder, one after the other: stop sluiced, give its cluster.db "
         "another name, start it";
}

template <class T, class Of>
Json array_of(const std::vector<T>& values, Of of) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(of(value));
  return array;
}

}  // namespace

std::string words_of(const Import& import, base::WallTime now) {
  const health::StoredState& state = import.contents.state;
  const std::string etcd = "etcd below " + import.prefix;
  std::string text = (import.dry_run ? "would move from " : "moved from ") +
                     (import.to_etcd ? import.directory + source(import) + " to " + etcd
                                     : etcd + " to " + import.directory) +
                     ": " + many(state.holds.size(), "hold", "holds") + ", " +
                     many(state.forces.size(), "forced health", "forced healths") + ", " +
                     many(state.schedules.size(), "planned drain", "planned drains") + ", " +
                     many(state.serial_bases.size(), "serial base", "serial bases") + ", " +
                     many(import.contents.audit.size(), "entry", "entries") + " of the audit";
  if (import.contents.audit_left_out > 0) {
    text += " (" + std::to_string(import.contents.audit_left_out) + " older left out)";
  }
  text = printable(text) + "\n";
  const auto add = [&](const std::string& line) {
    text += "  " + printable(with_local_times(line, now)) + "\n";
  };
  for (const health::Hold& hold : state.holds) add(line_of(hold));
  for (const health::PutForce& force : state.forces) add(line_of(force));
  for (const health::PlannedDrain& plan : state.schedules) add(line_of(plan));
  if (import.counts_anew != 0) {
    text += printable(counting_words(import)) + "\n";
  } else if (!import.put_away.empty()) {
    text += printable("the copy of another cluster that was here is " + import.put_away +
                      " now; other responders' copies (cluster.db) are still where they were") +
            "\n";
  }
  return text;
}

std::string document_of(const Import& import) {
  const health::StoredState& state = import.contents.state;
  Json bases = Json::object();
  for (const auto& [zone, base] : state.serial_bases) bases[zone] = base;
  Json document{{"to", import.to_etcd ? "etcd" : "embedded"},
                {"dry_run", import.dry_run},
                {"directory", import.directory},
                {"prefix", import.prefix},
                {"generation", state.generation},
                {"holds", array_of(state.holds, hold_json)},
                {"forces", array_of(state.forces, force_json)},
                {"schedules", array_of(state.schedules, plan_json)},
                {"serial_bases", bases},
                {"audit", import.contents.audit.size()},
                {"audit_left_out", import.contents.audit_left_out}};
  if (!import.cluster.empty()) document["cluster"] = import.cluster;
  if (import.copied != 0) document["copied"] = import.copied;
  if (import.counts_anew != 0) document["counts_anew"] = import.counts_anew;
  if (!import.put_away.empty()) document["put_away"] = import.put_away;
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace sluice::ctl
