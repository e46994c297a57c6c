#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tools/sluicectl/api/json_reader.h"
#include "tools/sluicectl/roll/machine.h"

// What --json says of a roll, and what --dry-run foresees. Pure.
namespace sluice::ctl::rolling {

// What would happen as things stand.
struct Forecast {
  struct Turn {
    std::string domain;
    std::vector<std::pair<std::string, std::string>> servers;  // FQDN, and why it is not ready
    std::size_t wanted = 0;                                    // at once, without floors
    Room room;                                                 // for these servers
  };
  std::vector<Turn> turns;
  Exit exit = Exit::Done;  // what a roll would end with
  std::string words;       // the same in a sentence
};
// `pool` must outlive it. Servers that are done have no turn any more.
Forecast forecast_of(const Pool& pool, const std::vector<Group>& groups,
                     const std::vector<Lane>& lanes, bool skip_unready, base::WallTime now);

Json plan_document(const std::string& pool, const Forecast& forecast);
Json step_document(const Step& step, const Lane& lane, base::WallTime now);
Json report_document(const std::string& pool, const Machine& machine, const std::string& journal);

}  // namespace sluice::ctl::rolling
