#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/clock.h"
#include "config/base/result.h"
#include "tools/sluicectl/api/endpoint.h"
#include "tools/sluicectl/exit_code.h"

namespace sluice::ctl {

enum class Command : std::uint8_t {
  Status,
  Services,
  Drain,
  Resume,
  Wait,
  Ready,
  ForceUp,
  ForceDown,
  Unforce,
  Explain,
  Reload,
  Token,
};

// What the user typed. A text that was not given is empty; the comment says whose it is.
struct Options {
  Command command = Command::Status;
  bool json = false;
  std::vector<Endpoint> endpoints;  // at least one
  std::string token_file;           // empty: none

  std::string pool;     // status; empty: all
  std::string server;   // SERVER; of token: --server
  std::string service;  // --service; empty: the whole server

  std::string reason;                   // drain
  std::string startup;                  // drain: manual, automatic; empty: each service's default
  bool hide_host = false;               // drain
  bool force = false;                   // drain
  std::string at;                       // drain, sent as it is
  std::string expires;                  // drain, sent as it is
  std::string then;                     // drain, sent as it is
  bool wait = false;                    // drain
  bool accepting = false;               // wait: until it accepts, not until it is drained
  std::optional<base::Duration> limit;  // of a wait (--wait DURATION, --timeout); absent: for ever

  std::string name;  // explain: NAME; token: --name
  std::string type;  // explain: TYPE
  std::string role;  // token: ROLE

  // Whether it goes on until something is so, or a signal comes.
  bool waits() const { return wait || command == Command::Wait; }
};

// No command to run: help that was asked for, or a mistake.
struct Stop {
  Exit exit = Exit::Usage;
  std::string text;  // for stdout when Done, else for stderr; ends with a newline
};

// `words` without the program's name. Options may stand before and after the command.
base::Result<Options, Stop> parse_options(std::vector<std::string> words,
                                          const Connection& environment);

}  // namespace sluice::ctl
