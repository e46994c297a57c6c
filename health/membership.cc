#include "health/membership.h"

#include <algorithm>

namespace sluice::health {
namespace {

// Rule 6, first half: though unhealthy, they were not ordered out.
bool may_serve_unhealthy(const Standing& standing) {
  return !standing.held && standing.forced != Standing::Forced::Down;
}

// Rule 6, `serve_held`: up, and somebody says so now.
bool may_serve_held(const Standing& standing) {
  return standing.held && standing.forced != Standing::Forced::Down &&
         standing.claim == Standing::Claim::Up && standing.ground == Standing::Ground::Pushed;
}

template <class Predicate>
bool promote(std::span<const Standing> standings, Decision& decision, Predicate may, Rule as) {
  bool any = false;
  for (std::size_t i = 0; i < standings.size(); ++i) {
    if (!may(standings[i])) continue;
    decision.rules[i] = as;
    any = true;
  }
  return any;
}

}  // namespace

const char* to_string(Rule rule) noexcept {
  switch (rule) {
    case Rule::Accepting:
      return "accepting";
    case Rule::Guard:
      return "mass-loss-guard";
    case Rule::Grace:
      return "start-grace";
    case Rule::ForcedUp:
      return "forced-up";
    case Rule::NeverEmpty:
      return "never-empty";
    case Rule::ServeHeld:
      return "serve-held";
    case Rule::Hold:
      return "hold";
    case Rule::ForcedDown:
      return "forced-down";
    case Rule::Down:
      return "down";
    case Rule::Stopped:
      return "stopped";
    case Rule::Unknown:
      return "unknown";
  }
  return "";
}

bool is_in(Rule rule) noexcept {
  return rule <= Rule::ServeHeld;
}

Rule rule_for(const Standing& standing) noexcept {
  if (standing.held) return Rule::Hold;
  if (standing.forced == Standing::Forced::Up) return Rule::ForcedUp;
  if (standing.forced == Standing::Forced::Down) return Rule::ForcedDown;
  switch (standing.claim) {
    case Standing::Claim::Down:
      return Rule::Down;
    case Standing::Claim::Stopped:
      return Rule::Stopped;
    case Standing::Claim::Unknown:
      return Rule::Unknown;
    case Standing::Claim::Up:
      break;
  }
  switch (standing.ground) {
    case Standing::Ground::Pushed:
      return Rule::Accepting;
    case Standing::Ground::Guard:
      return Rule::Guard;
    case Standing::Ground::Grace:
      return Rule::Grace;
    case Standing::Ground::None:
      break;
  }
  return Rule::Unknown;
}

Decision decide(std::span<const Standing> standings, config::WhenAllHeld when_all_held) {
  Decision decision;
  decision.rules.reserve(standings.size());
  for (const Standing& standing : standings) decision.rules.push_back(rule_for(standing));
  decision.accepting = static_cast<unsigned>(std::ranges::count_if(decision.rules, is_in));
  if (decision.accepting > 0) return decision;

  if (promote(standings, decision, may_serve_unhealthy, Rule::NeverEmpty)) {
    decision.fallback = Fallback::NeverEmpty;
    return decision;
  }
  decision.fallback = Fallback::NoData;
  if (when_all_held == config::WhenAllHeld::Addresses) decision.fallback = Fallback::Addresses;
  if (when_all_held == config::WhenAllHeld::ServeHeld &&
      promote(standings, decision, may_serve_held, Rule::ServeHeld)) {
    decision.fallback = Fallback::ServeHeld;
  }
  return decision;
}

}  // namespace sluice::health
