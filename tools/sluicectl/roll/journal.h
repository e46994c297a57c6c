#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "config/base/result.h"
#include "tools/sluicectl/roll/lane.h"
#include "tools/sluicectl/roll/plan.h"

// How far a roll has come, for going on after it was broken off. Pure; journal_file.h keeps it.
namespace sluice::ctl::rolling {

struct Journal {
  std::string pool;
  std::string command;

  // Of a server that it has begun with.
  enum class State : std::uint8_t {
    Held,     // drained or about to be; the command has not ended well
    Ran,      // the command has: to be resumed
    Resumed,  // until it accepts and has soaked
    Done,
  };
  struct Entry {
    State state = State::Held;
    std::optional<base::WallTime> hold_since;  // of our hold; absent: never seen

    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::map<std::string, Entry> servers;  // by FQDN

  friend bool operator==(const Journal&, const Journal&) = default;
};

std::string to_text(const Journal& journal);  // JSON, with a newline at the end
// The error is a sentence about what it is not.
base::Result<Journal, std::string> parse_journal(const std::string& text);

Journal journal_of(const std::string& pool, const std::string& command,
                   const std::vector<Lane>& lanes);

// In the order of the groups, each as far as the journal says. `anew`: what was done is to be done
// again; the holds that were placed are still the roll's.
std::vector<Lane> lanes_of(const std::vector<Group>& groups, const Journal& journal, bool anew);

// Servers that it holds and that the pool does not have any more.
std::vector<std::string> lost_holds(const std::vector<Group>& groups, const Journal& journal);

}  // namespace sluice::ctl::rolling
