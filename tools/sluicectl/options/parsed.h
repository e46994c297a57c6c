#pragma once

#include <string>
#include <vector>

#include "tools/sluicectl/options.h"

namespace sluice::ctl {

// What CLI11 writes to, before it becomes Options.
struct Parsed {
  Options options;
  Connection connection;
  std::vector<std::string> apis;  // --api, each time
  std::string wait;               // empty: not given; "true": without DURATION
  std::string wait_for = "drained";
  std::string timeout;
  std::string soak;
  std::string watch;  // empty: not given; "true": without SECONDS
  std::vector<std::string> servers;
};

}  // namespace sluice::ctl
