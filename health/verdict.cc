#include "health/verdict.h"

#include <algorithm>

#include "health/words.h"

namespace sluice::health {
namespace {

void add(Verdict& verdict, const char* code, std::string text,
         std::optional<base::WallTime> until = std::nullopt) {
  verdict.reasons.push_back({code, std::move(text), until});
}

void judge_hold(const VerdictInput& input, Verdict& verdict) {
  if (!input.balanced_by_dns) {
    add(verdict, "not-by-dns",
        input.service +
            " is balanced, but not by DNS (dns_load_balancing: false): leaving the answers proves "
            "nothing about it");
  }
  if (!input.held) {
    add(verdict, "not-held",
        input.service + (input.named ? " is not held"
                                     : " is not held: no answer names it now, but that may change "
                                       "at any moment"));
    return;
  }
  if (!input.durable) {
    add(verdict, "hold-not-durable",
        "the hold on " + input.service +
            " is in force but not on disk: a restart of the authority would forget it");
  }
  for (const std::string& responder : input.unconfirmed) {
    add(verdict, "unconfirmed-responder",
        responder + " has not confirmed the hold on " + input.service);
  }
  if (input.hook_failed) {
    add(verdict, "hook-failed",
        "the hook of " + input.service + " on its host has failed: " + *input.hook_failed);
  }
  if (input.named) {
    add(verdict, "served-while-held",
        input.service + " is held but still answered (when_all_held: serve_held)");
  }
}

void judge_sessions(const VerdictInput& input, Verdict& verdict) {
  if (!input.sessions) {
    add(verdict, "sessions-unknown",
        "the sessions of " + input.service + " are not known: " + input.unknown_because);
  } else {
    for (const auto& [counter, count] : *input.sessions) {
      if (count == 0) continue;
      add(verdict, "sessions", std::to_string(count) + " " + counter + " on " + input.service);
    }
  }
  if (input.new_connection_ago) {
    add(verdict, "new-connections",
        input.service + " got a new connection " + seconds_text(*input.new_connection_ago) +
            " ago, after the horizon: some client keeps the address longer than its TTL");
  }
}

}  // namespace

Verdict verdict_of(std::span<const VerdictInput> services, base::WallTime now) {
  Verdict verdict;
  for (const VerdictInput& input : services) judge_hold(input, verdict);
  // One moment for all of them: the last.
  std::optional<base::WallTime> horizon;
  for (const VerdictInput& input : services) {
    if (input.held && input.horizon)
      horizon = std::max(horizon.value_or(*input.horizon), *input.horizon);
  }
  if (horizon) {
    add(verdict, "horizon", "caches may name it for another " + seconds_text(*horizon - now),
        horizon);
  }
  for (const VerdictInput& input : services) judge_sessions(input, verdict);
  verdict.safe_to_stop = verdict.reasons.empty();
  return verdict;
}

}  // namespace sluice::health
