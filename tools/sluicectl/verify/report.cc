#include "tools/sluicectl/verify/report.h"

#include <algorithm>
#include <map>
#include <utility>

#include "health/rfc3339.h"
#include "tools/sluicectl/render/table.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {
namespace {

using Counts = std::map<Finding, std::size_t>;

Counts counts(const PoolCheck& check, std::size_t target, Transport transport) {
  Counts found;
  for (const Checked& each : check.answers) {
    if (each.target == target && each.transport == transport) ++found[each.judgement.finding];
  }
  return found;
}

Tone tone_of(Finding finding) {
  if (finding == Finding::Right) return Tone::Good;
  return is_fault(finding) ? Tone::Bad : Tone::Waiting;
}

// "12 right, 1 stale", the worst first.
Cell counts_cell(const Counts& found) {
  std::vector<std::string> parts;
  for (auto at = found.rbegin(); at != found.rend(); ++at) {
    parts.push_back(std::to_string(at->second) + " " + to_string(at->first));
  }
  return {joined(parts, ", "), found.empty() ? Tone::Plain : tone_of(found.rbegin()->first)};
}

// What is wrong in the same way, and where.
struct Fault {
  Judgement judgement;
  std::vector<std::pair<std::string, std::vector<Transport>>> where;  // "attendant A"

  void add(const std::string& what, Transport transport) {
    if (where.empty() || where.back().first != what) where.push_back({what, {}});
    where.back().second.push_back(transport);
  }
};

// The authority's clocks are read anew for each document: horizons differ by milliseconds.
bool same_second(const std::optional<base::WallTime>& one,
                 const std::optional<base::WallTime>& other) {
  if (!one || !other) return one == other;
  return std::chrono::abs(*one - *other) < std::chrono::seconds(1);
}

std::vector<Fault> faults(const PoolCheck& check, std::size_t target) {
  std::vector<Fault> all;
  for (const Checked& each : check.answers) {
    const Judgement& judged = each.judgement;
    if (each.target != target || judged.finding == Finding::Right) continue;
    auto same = std::ranges::find_if(all, [&](const Fault& known) {
      return known.judgement.finding == judged.finding && known.judgement.text == judged.text &&
             same_second(known.judgement.until, judged.until);
    });
    if (same == all.end()) same = all.insert(all.end(), {judged, {}});
    same->add(relative_name(each.question.name, check.pool) + " " + type_name(each.question.type),
              each.transport);
  }
  return all;
}

// "@ A, attendant A (udp)"; "every answer".
std::string where_words(const Fault& fault, std::size_t questions) {
  std::size_t places = 0;
  bool alike = true;
  std::vector<std::string> names;
  for (const auto& [what, over] : fault.where) {
    places += over.size();
    alike = alike && over == fault.where.front().second;
    names.push_back(what);
  }
  if (places == 2 * questions) return "every answer";
  const auto over = [](const std::vector<Transport>& transports) {
    return transports.size() == 2 ? std::string()
                                  : std::string(" over ") + to_string(transports.front());
  };
  const auto& first = fault.where.front().second;
  if (alike && fault.where.size() == questions) return "every answer" + over(first);
  if (alike) return joined(names, ", ") + over(first);
  for (std::size_t at = 0; at < names.size(); ++at) names[at] += over(fault.where[at].second);
  return joined(names, ", ");
}

}  // namespace

Finding PoolCheck::worst() const {
  Finding worst = Finding::Right;
  for (const Checked& each : answers) worst = std::max(worst, each.judgement.finding);
  return worst;
}

std::optional<std::string> port_hint(const PoolCheck& check) {
  std::vector<std::string> ports;
  for (const Target& each : check.targets) {
    if (each.source != Source::Responder) continue;
    if (each.address.port == base::kDnsPort) return {};
    const std::string port = std::to_string(each.address.port);
    if (std::ranges::find(ports, port) == ports.end()) ports.push_back(port);
  }
  const bool fails = std::ranges::any_of(check.answers, [&](const Checked& each) {
    return check.targets[each.target].source == Source::NameServer &&
           is_fault(each.judgement.finding);
  });
  if (!fails || ports.empty()) return {};
  return "name servers are asked at port " + std::to_string(base::kDnsPort) +
         "; your responder listens at " + joined(ports, ", ") + "; --no-ns leaves them out";
}

std::string check_view(const PoolCheck& check, base::WallTime now, const Surface& surface) {
  const std::size_t questions = check.questions;
  std::string text = toned(check.pool, Tone::Strong, surface) + "  generation " +
                     std::to_string(check.generation) + ", " + std::to_string(questions) +
                     " answers over UDP and TCP\n";
  Table rows({{"SERVER", false}, {"WHO", true}, {"UDP", true}, {"TCP", true}});
  for (std::size_t at = 0; at < check.targets.size(); ++at) {
    rows.add({check.targets[at].address.to_string(), check.targets[at].who,
              counts_cell(counts(check, at, Transport::Udp)),
              counts_cell(counts(check, at, Transport::Tcp))});
  }
  text += rows.render(surface);
  for (std::size_t at = 0; at < check.targets.size(); ++at) {
    for (const Fault& fault : faults(check, at)) {
      const Judgement& judged = fault.judgement;
      std::string line = check.targets[at].address.to_string() + ": " +
                         where_words(fault, questions) + ": " + judged.text;
      if (judged.until) line += "; " + caches_words(*judged.until, now);
      text += wrapped(line, surface.width, 2);
    }
  }
  for (const std::string& note : check.notes) text += wrapped(note, surface.width, 2);
  return text;
}

Json check_json(const PoolCheck& check) {
  Json document{
      {"pool", check.pool}, {"generation", check.generation}, {"result", to_string(check.worst())}};
  Json servers = Json::array();
  for (std::size_t at = 0; at < check.targets.size(); ++at) {
    const Target& target = check.targets[at];
    const char* kind = target.source == Source::Responder    ? "responder"
                       : target.source == Source::NameServer ? "name-server"
                                                             : "resolver";
    Json answers = Json::array();
    for (const Checked& each : check.answers) {
      if (each.target != at) continue;
      Json answer{{"name", each.question.name},
                  {"type", type_name(each.question.type)},
                  {"transport", to_string(each.transport)},
                  {"result", to_string(each.judgement.finding)},
                  {"text", each.judgement.text}};
      if (each.judgement.until) answer["until"] = health::to_rfc3339(*each.judgement.until);
      answers.push_back(std::move(answer));
    }
    servers.push_back({{"server", target.address.to_string()},
                       {"kind", kind},
                       {"who", target.who},
                       {"answers", std::move(answers)}});
  }
  document["servers"] = std::move(servers);
  document["notes"] = check.notes;
  return document;
}

}  // namespace sluice::ctl
