#include <algorithm>
#include <array>

#include "health/api/handlers.h"
#include "health/api/problem.h"
#include "health/api/replies.h"
#include "health/api/server_name.h"
#include "health/api/view_json.h"

namespace sluice::health::handlers {
namespace {

using nlohmann::ordered_json;

// The type that answers of this name have, where none is asked for.
std::string type_of(std::string_view name) {
  return name.starts_with('_') ? "SRV" : "A";
}

// Members are decided for all types of an answer set together; who has no record of the type that
// was asked is not in that RRset, and this is the only place that says so.
void tell_missing_records(Explanation& explanation, const std::string& owner,
                          const std::string& type, const Topology& topology) {
  const bool srv = type == "SRV";
  if (srv != (type_of(owner) == "SRV")) {
    for (ExplainedMember& member : explanation.members) {
      member.in = false;
      member.text += "; the name has " + std::string(srv ? "no SRV records" : "SRV records alone") +
                     ", so no answer to " + type + " names it";
    }
    return;
  }
  if (srv) return;
  for (ExplainedMember& member : explanation.members) {
    const auto id = topology.server(member.server);
    if (!id) continue;
    const auto addresses = topology.servers()[*id].addresses;
    const bool listed = std::any_of(addresses.begin(), addresses.end(), [&](const auto& address) {
      return address.is_v4() == (type == "A");
    });
    if (listed) continue;
    member.in = false;
    member.text += "; it has no " + type + " address, so no answer to " + type + " names it";
  }
}

}  // namespace

void explain(const ApiContext& api, Exchange exchange) {
  constexpr std::array<std::string_view, 3> kTypes{"A", "AAAA", "SRV"};
  const std::string* name = exchange.parameter("name");
  if (name == nullptr || name->empty()) return reply(exchange, bad_member("name", "must be given"));
  std::string type = type_of(*name);
  if (const std::string* asked = exchange.parameter("type")) {
    type.clear();
    for (const char c : *asked) type += c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c;
    if (std::ranges::find(kTypes, type) == kTypes.end()) {
      return reply(exchange, bad_member("type", "must be A, AAAA or SRV"));
    }
  }
  api.control([exchange, type, owner = canonical(*name)](Authority& authority) mutable {
    auto explanation = authority.explain(owner);
    if (!explanation) {
      // A pool by its first label, as everywhere.
      if (auto pool = resolve_pool(*authority.topology(), owner)) {
        owner = *std::move(pool);
        explanation = authority.explain(owner);
      }
    }
    if (!explanation) {
      return reply(exchange, problem(not_found("no answer set has that name" +
                                               explain_hint(*authority.topology(), owner))));
    }
    tell_missing_records(*explanation, owner, type, *authority.topology());
    exchange.reply([type, owner, explanation = std::move(*explanation)] {
      ordered_json body{{"name", owner}, {"type", type}};
      body.update(to_json(explanation));
      return json_response(200, body);
    });
  });
}

}  // namespace sluice::health::handlers
