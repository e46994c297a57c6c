// Why a server is, or is not, in an answer: what membership.h decided, in one sentence each.

#include <algorithm>
#include <utility>

#include "health/authority_state.h"
#include "health/rfc3339.h"
#include "health/slow_start.h"

namespace sluice::health {

std::optional<Explanation> Authority::State::explain(std::string_view owner) const {
  const auto set = topology_->answer_set(owner);
  if (!set) return std::nullopt;
  const ServicePoolId pool_id = topology_->answer_sets()[*set].service_pool;
  const ServicePool& pool = topology_->service_pools()[pool_id];
  const Decision decision = decide_pool(pool_id);
  const Members& members = membership_->answer_sets[*set];
  Explanation explanation;
  explanation.answer_set = topology_->answer_sets()[*set].owner;
  explanation.service = topology_->services()[pool.service].name;
  explanation.fallback = members.fallback;
  for (std::size_t i = 0; i < pool.servers.size(); ++i) {
    const ServerId server = pool.servers[i];
    ExplainedMember& member = explanation.members.emplace_back(explain_member(
        server, *topology_->servers()[server].slot_of(pool.service), decision.rules[i], members));
    if (member.in) member.text += leaves_text(server, pool.service);
    const unsigned tenths = members.tenths(server);
    if (member.in && tenths < kWholeWeight) {
      member.text += "; it came back: " + std::to_string(10 * tenths) + " % of its weight so far";
    }
  }
  return explanation;
}

// What is planned for a member that is in.
std::string Authority::State::leaves_text(ServerId server, ServiceId service) const {
  const Plan* first = nullptr;
  for (const auto& [id, plan] : plans_) {
    const bool concerns =
        plan.drain.server == name(server) &&
        (plan.drain.service.empty() || plan.drain.service == topology_->services()[service].name);
    if (concerns && (first == nullptr || plan.not_after < first->not_after)) first = &plan;
  }
  if (first == nullptr) return {};
  return "; leaves at " + to_rfc3339(leaves_at(first->drain, settings_.health)) + " (schedule " +
         std::to_string(first->drain.id) + " by " + first->drain.by + ")";
}

ExplainedMember Authority::State::explain_member(ServerId id, std::size_t index, Rule rule,
                                                 const Members& members) const {
  const ServiceState& service = *at(id, index).service;
  const Agent& agent = *at(id).agent;
  ExplainedMember member;
  member.server = name(id);
  member.in = std::ranges::binary_search(members.servers, id);
  member.rule = to_string(rule);
  const auto say_text = [&](std::string text) { member.text = std::move(text); };
  switch (rule) {
    case Rule::Accepting:
      member.since = service.since;
      say_text("its agent says up");
      break;
    case Rule::Guard:
      member.since = agent.silent_since;
      say_text("its agent is silent with most of the pool: the last known health, up, stands");
      break;
    case Rule::Grace:
      member.since = started_wall_;
      say_text("the authority has just started: taken as up until its agent speaks");
      break;
    case Rule::ForcedUp:
    case Rule::ForcedDown:
      member.since = service.forced_since;
      member.by = *service.forced_by;
      say_text(std::string("forced ") + to_string(*service.forced) + " by an operator");
      break;
    case Rule::NeverEmpty:
      member.since = members.since;
      say_text("nobody accepts: answered though unhealthy, rather than nobody");
      break;
    case Rule::ServeHeld:
      member.since = members.since;
      say_text("everybody is held and the pool serves held members (when_all_held: serve_held)");
      break;
    case Rule::Hold: {
      const auto holds = holds_.covering(name(id), service_name(id, index));
      const Hold& hold = *holds.front();
      member.since = hold.since;
      member.by = hold.by;
      say_text(std::string("held (") + to_string(hold.key.scope()) + ", " +
               to_string(hold.key.origin) + ")" +
               (hold.forced ? ", the floor was overridden" : "") +
               (hold.reason.empty() ? "" : ": " + hold.reason) +
               (holds.size() > 1 ? "; and by " + std::to_string(holds.size() - 1) + " more" : ""));
      break;
    }
    case Rule::Down:
      member.since = service.since;
      say_text("its agent says down: its checks fail");
      break;
    case Rule::Stopped:
      member.since = service.since;
      say_text("its agent says stopped: it is not running");
      break;
    case Rule::Unknown:
      member.since =
          agent.lease.last_push && !agent.lease.current ? agent.silent_since : started_wall_;
      say_text(unknown_because(service, agent.lease));
      break;
  }
  // Agents that flap are damped: what is answered follows what they say by up to a gap.
  if (member.in != is_in(rule)) {
    member.text +=
        "; its answers follow within a second: a server of the pool changed often of late";
  }
  return member;
}

}  // namespace sluice::health
