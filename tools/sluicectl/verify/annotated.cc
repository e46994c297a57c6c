#include "tools/sluicectl/verify/annotated.h"

#include <algorithm>
#include <utility>

#include "health/rfc3339.h"
#include "tools/sluicectl/render/table.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {
namespace {

std::vector<std::string> flags_of(const Message& message) {
  std::vector<std::string> flags;
  if (message.authoritative) flags.emplace_back("aa");
  if (message.truncated) flags.emplace_back("tc");
  if (message.recursion_desired) flags.emplace_back("rd");
  if (message.recursion_available) flags.emplace_back("ra");
  return flags;
}

std::string label(const Annotated& answer, const std::string& server) {
  return answer.beside.pool ? relative_name(server, answer.beside.pool->name) : server;
}

// The service that the answer follows, on this server.
const Service* service(const Annotated& answer, const Server& server) {
  const auto& explanation = answer.beside.explanation;
  if (explanation) return server.service(explanation->service);
  return server.services.empty() ? nullptr : &server.services.front();
}

Cell in_cell(const ExplainedMember* member) {
  if (member == nullptr) return {""};
  return member->in ? Cell("yes", Tone::Good) : Cell("no", Tone::Bad);
}

Table records(const Annotated& answer, const std::vector<Record>& section, bool names) {
  std::vector<Column> columns{{"NAME", true},     {"TTL", false},   {"TYPE", false},
                              {"DATA", true},     {"SERVER", true}, {"STATUS", true},
                              {"SESSIONS", true}, {"IN", false},    {"RULE", false}};
  const bool known = std::ranges::any_of(
      section, [&](const Record& record) { return answer.server(record) != nullptr; });
  constexpr std::size_t kColumnsOfOthers =
      4;  // what there is of a record that names no server of ours
  if (!known) columns.erase(columns.begin() + kColumnsOfOthers, columns.end());
  if (!names) columns.erase(columns.begin());
  Table rows(std::move(columns));
  for (const Record& record : section) {
    const Server* server = answer.server(record);
    const Service* of = server == nullptr ? nullptr : service(answer, *server);
    const ExplainedMember* member = server == nullptr ? nullptr : answer.member(*server);
    std::vector<Cell> row{label(answer, record.owner),
                          std::to_string(record.ttl),
                          type_name(record.type),
                          record.data,
                          server == nullptr ? "" : label(answer, server->name),
                          of == nullptr ? Cell("") : Cell(status_words(*of, *server), tone_of(*of)),
                          of == nullptr ? "" : sessions_words(*of),
                          in_cell(member),
                          member == nullptr ? "" : member->rule};
    if (!known) row.erase(row.begin() + kColumnsOfOthers, row.end());
    if (!names) row.erase(row.begin());
    rows.add(std::move(row));
  }
  return rows;
}

std::string header(const Annotated& answer, const Surface& surface) {
  const Lookup& lookup = answer.lookup;
  std::string text =
      toned(lookup.question.name + " " + type_name(lookup.question.type), Tone::Strong, surface) +
      "  from " + lookup.server.to_string() + " over " +
      (answer.was_truncated ? "tcp (udp was truncated)" : to_string(lookup.transport)) + "\n";
  const Message& message = answer.message;
  const std::string flags = joined(flags_of(message), " ");
  text += toned(rcode_name(message.rcode), message.rcode == kNoError ? Tone::Good : Tone::Bad,
                surface) +
          "  flags " + (flags.empty() ? "none" : flags) + "; " +
          std::to_string(message.answer.size()) + " answer, " +
          std::to_string(message.authority.size()) + " authority, " +
          std::to_string(message.additional.size()) + " additional; " +
          std::to_string(answer.took.count()) + " ms\n";
  for (const std::string& each : message.explanations) {
    text += wrapped("extended error: " + each, surface.width, 0);
  }
  return text;
}

std::string missing_view(const Annotated& answer, base::WallTime now, const Surface& surface) {
  const auto missing = answer.missing();
  if (missing.empty()) return {};
  Table rows({{"NOT IN IT", true},
              {"STATUS", true},
              {"SESSIONS", true},
              {"RULE", false},
              {"SINCE", false},
              {"WHY", true}});
  for (const ExplainedMember* each : missing) {
    const Server* server = answer.beside.pool ? answer.beside.pool->server(each->server) : nullptr;
    const Service* of = server == nullptr ? nullptr : service(answer, *server);
    rows.add({label(answer, each->server),
              of == nullptr ? Cell("") : Cell(status_words(*of, *server), tone_of(*of)),
              of == nullptr ? "" : sessions_words(*of), each->rule,
              each->since ? local_time(*each->since, now) : "", each->text});
  }
  return rows.render(surface);
}

std::string judgement_view(const Annotated& answer, base::WallTime now, const Surface& surface) {
  if (!answer.judgement) return "no answer set of the authority's: nothing to compare it with\n";
  const Judgement& judged = *answer.judgement;
  const Tone tone = judged.finding == Finding::Right ? Tone::Good
                    : is_fault(judged.finding)       ? Tone::Bad
                                                     : Tone::Waiting;
  std::string text = judged.text;
  if (judged.until) text += "; " + caches_words(*judged.until, now);
  if (judged.finding == Finding::Right) text = "it is what the authority answers now";
  return toned(to_string(judged.finding), tone, surface) + ": " + text + "\n";
}

Json record_json(const Annotated& answer, const Record& record) {
  Json shown{{"name", record.owner},
             {"ttl", record.ttl},
             {"type", type_name(record.type)},
             {"data", record.data}};
  const Server* server = answer.server(record);
  if (server == nullptr) return shown;
  shown["server"] = server->name;
  if (const Service* of = service(answer, *server)) {
    shown["status"] = of->status;
    Json sessions;
    if (of->sessions) {
      sessions = Json::object();
      for (const auto& [counter, count] : *of->sessions) sessions[counter] = count;
    }
    shown["sessions"] = std::move(sessions);
  }
  if (const ExplainedMember* member = answer.member(*server)) {
    shown["in"] = member->in;
    shown["rule"] = member->rule;
  }
  return shown;
}

Json section_json(const Annotated& answer, const std::vector<Record>& section) {
  Json list = Json::array();
  for (const Record& record : section) list.push_back(record_json(answer, record));
  return list;
}

}  // namespace

const Server* Annotated::server(const Record& record) const {
  if (!beside.pool) return nullptr;
  const auto found = std::ranges::find_if(beside.pool->servers, [&](const Server& each) {
    return record.address
               ? std::ranges::find(each.addresses, *record.address) != each.addresses.end()
               : record.type == kTypeSrv && record.target == each.name;
  });
  return found == beside.pool->servers.end() ? nullptr : &*found;
}

const ExplainedMember* Annotated::member(const Server& server) const {
  if (!beside.explanation) return nullptr;
  const auto& members = beside.explanation->members;
  const auto found = std::ranges::find(members, server.name, &ExplainedMember::server);
  return found == members.end() ? nullptr : &*found;
}

std::vector<const ExplainedMember*> Annotated::missing() const {
  std::vector<const ExplainedMember*> all;
  if (!beside.explanation) return all;
  for (const ExplainedMember& each : beside.explanation->members) {
    const bool named = std::ranges::any_of(message.answer, [&](const Record& record) {
      const Server* of = server(record);
      return of != nullptr && of->name == each.server;
    });
    if (!named) all.push_back(&each);
  }
  return all;
}

std::string annotated_view(const Annotated& answer, base::WallTime now, const Surface& surface) {
  const Message& message = answer.message;
  std::string text = header(answer, surface);
  const auto other = [&](const Record& record) {
    return record.owner != answer.lookup.question.name;
  };
  if (!message.answer.empty()) {
    const bool names = std::ranges::any_of(message.answer, other);
    text += records(answer, message.answer, names).render(surface);
  }
  if (!message.additional.empty()) {
    text += "additional section\n" + records(answer, message.additional, true).render(surface);
  }
  // What is behind the answer is shown where there is none: why, or where to go on.
  if (message.answer.empty()) {
    for (const Record& record : message.authority) {
      text += wrapped("authority: " + record.owner + " " + std::to_string(record.ttl) + " " +
                          type_name(record.type) + " " + record.data,
                      surface.width, 0);
    }
  }
  return text + missing_view(answer, now, surface) + judgement_view(answer, now, surface);
}

Json annotated_json(const Annotated& answer) {
  const Message& message = answer.message;
  Json document{{"name", answer.lookup.question.name},
                {"type", type_name(answer.lookup.question.type)},
                {"server", answer.lookup.server.to_string()},
                {"transport", to_string(answer.lookup.transport)},
                {"rcode", rcode_name(message.rcode)},
                {"flags", flags_of(message)},
                {"took_ms", answer.took.count()}};
  document["answer"] = section_json(answer, message.answer);
  document["authority"] = section_json(answer, message.authority);
  document["additional"] = section_json(answer, message.additional);
  document["extended_errors"] = message.explanations;
  Json missing = Json::array();
  for (const ExplainedMember* each : answer.missing()) {
    Json member{
        {"server", each->server}, {"in", each->in}, {"rule", each->rule}, {"text", each->text}};
    if (each->since) member["since"] = health::to_rfc3339(*each->since);
    if (!each->by.empty()) member["by"] = each->by;
    missing.push_back(std::move(member));
  }
  document["missing"] = std::move(missing);
  if (answer.judgement) {
    document["result"] = to_string(answer.judgement->finding);
    document["text"] = answer.judgement->text;
    if (answer.judgement->until) {
      document["until"] = health::to_rfc3339(*answer.judgement->until);
    }
  }
  return document;
}

}  // namespace sluice::ctl
