#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "config/model.h"
#include "health/snapshot.h"

// Who is in an answer, and why: the precedence of semantics.md section 3. Pure. `explain` shows
// what this function decided; nothing else decides.
namespace sluice::health {

// What is known of one service on one server, as the precedence sees it.
struct Standing {
  // What the agent claims, or what stands in for its claim.
  enum class Claim : std::uint8_t {
    Up,
    Down,
    Stopped,
    Unknown,  // the lease ran out, or nothing was ever pushed
  };
  // Where the claim comes from.
  enum class Ground : std::uint8_t {
    Pushed,  // the lease is current
    Guard,   // the lease ran out in a mass loss: the last known health
    Grace,   // after the authority's start: the last known health, Up if nothing was ever known
    None,    // nobody vouches: Unknown
  };
  enum class Forced : std::uint8_t { No, Up, Down };

  bool held = false;
  Forced forced = Forced::No;
  Claim claim = Claim::Unknown;
  Ground ground = Ground::None;
};

// The rule that decided. The words are those of explain's `rule`.
enum class Rule : std::uint8_t {
  Accepting,   // in: the agent says up
  Guard,       // in: last known up, kept by the mass-loss guard
  Grace,       // in: last known up, or never known, in the grace after a start
  ForcedUp,    // in
  NeverEmpty,  // in: nobody accepts, and this one is neither held nor forced down
  ServeHeld,   // in: everybody is held, the pool serves held members that are up
  Hold,        // out
  ForcedDown,  // out
  Down,        // out: its checks fail
  Stopped,     // out: not running
  Unknown,     // out: nobody vouches for it
};
const char* to_string(Rule rule) noexcept;
bool is_in(Rule rule) noexcept;

struct Decision {
  Fallback fallback = Fallback::None;
  std::vector<Rule> rules;  // for each standing
  unsigned accepting = 0;   // in by rules 2 to 5: what floors count
};

// Rules 2 to 5 for one member on its own.
Rule rule_for(const Standing& standing) noexcept;

// All rules, for the members of one answer set.
Decision decide(std::span<const Standing> standings, config::WhenAllHeld when_all_held);

}  // namespace sluice::health
