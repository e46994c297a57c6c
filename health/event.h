#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "config/base/clock.h"

// Something that happened, for those who watch, for the log and, of some types, for the audit.
namespace sluice::health {

// Who asks, for the hold, the log and the audit.
struct Actor {
  std::string by;      // a token's name, or a local user's
  std::string origin;  // the client's address, or "unix"
};

// The words of interfaces.md; openapi.json lists the same. What is durable says so: it goes to the
// audit, the others to a bounded ring in memory.
enum class EventType : std::uint8_t {
  Drain,           // durable: a hold was placed
  Resume,          // durable: a hold was lifted
  Release,         // durable: a new instance released a service from a hold (startup automatic)
  Expire,          // durable: a hold's time was over and it was lifted
  Alarm,           // durable: a hold's time was over and somebody wants to know
  Refusal,         // durable: a rule refused a drain or a pause
  Force,           // durable: an operator forced a health
  Unforce,         // durable
  Schedule,        // durable: a drain was planned
  Cancel,          // durable: a planned drain or an expiry was cancelled
  Reload,          // durable: a configuration was taken over, or refused
  Authentication,  // durable: failed ones of one address in one minute
  Forbidden,       // durable: somebody known asked for what is another's
  Forget,          // durable: an operator had a responder of the cluster forgotten
  Status,          // a service's status on a server changed
  Generation,      // some answer's members changed
  Lease,           // an agent went silent, or pushes again
  MassLoss,        // so many went silent at once that the authority doubts itself
  GuardEnd,        // the mass-loss guard of a server ended
  Store,           // the store failed, or works again
  Resources,       // descriptors or memory ran short, or are there again
};
const char* to_string(EventType type) noexcept;
bool is_durable(EventType type) noexcept;

struct Event {
  std::string id;  // "RUN-NUMBER", given by who keeps it; numbers grow by one within a run
  base::WallTime at;
  EventType type = EventType::Drain;
  std::string server;            // FQDN; empty: it concerns none
  std::string service;           // empty: the whole server
  std::string by;                // who; empty: nobody asked for it
  std::string origin;            // from where
  std::string text;              // the reason, or one sentence for people
  std::uint64_t generation = 0;  // the newest when it happened

  std::string was;     // Status: the one before
  std::string status;  // Status: the new one
  std::string rule;    // Refusal
  std::string answer_set;
  // Refusal; Authentication: "failures"; Forbidden: "requests"
  std::map<std::string, std::uint64_t> numbers;
};

}  // namespace sluice::health
