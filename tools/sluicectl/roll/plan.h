#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "tools/sluicectl/api/answers.h"

// Who is rolled when, and what stands in the way. Pure.
namespace sluice::ctl::rolling {

// The reason that a roll's holds have; by it, and by when they were placed, it knows them again.
constexpr const char* kReason = "roll";

struct Settings {
  std::optional<std::size_t> at_once;   // servers of one group; absent: 1, or a whole domain
  bool domains = false;                 // a whole domain at once
  bool skip_unready = false;            // pass over who is not ready, in place of stopping there
  std::optional<base::Duration> limit;  // of each wait; absent: none
  base::Duration soak{0};
};

// Servers that may be out at the same time. The next group begins when this one is done.
struct Group {
  std::string domain;  // empty: those that are in none
  std::vector<std::string> servers;
  std::size_t at_once = 1;
};

// Domain by domain, each by its name, and so the servers in each; who is in none comes last.
std::vector<Group> groups_of(const Pool& pool, const Settings& settings);

// How many of some servers may leave the answers at once before a floor refuses.
struct Room {
  std::size_t servers = 0;           // at most as many as were asked for
  const AnswerSet* floor = nullptr;  // that stands against more; null: none does
};
Room room_for(const Pool& pool, const std::vector<std::string>& servers);

// Why a server's turn cannot come: it is held by somebody, or does not accept; nothing: it can.
std::optional<std::string> unready(const Server& server, base::WallTime now);

// Every service takes new connections.
bool accepts(const Server& server);

const Server* find(const Pool& pool, const std::string& server);

}  // namespace sluice::ctl::rolling
