#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base/address.h"
#include "config/base/clock.h"
#include "config/base/result.h"
#include "tools/sluicectl/api/endpoint.h"
#include "tools/sluicectl/exit_code.h"
#include "tools/tls/material.h"

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
  Verify,
  Dig,
  ScheduleList,
  ScheduleCancel,
  Cluster,
  ClusterForget,
  Roll,
  Watch,
  History,
  Backup,
  Import,
  Reload,
  Token,
  PkiCa,
  PkiServer,
  PkiAgent,
  PkiOperator,
  PkiReader,
  PkiRenew,
  PkiShow,
};

// One lease as configurations have it: what an agent said before the command is by then said again,
// or void.
constexpr base::Duration kDefaultSoak = std::chrono::seconds(6);

// What the user typed. A text that was not given is empty; the comment says whose it is.
struct Options {
  Command command = Command::Status;
  bool json = false;
  std::vector<Endpoint> endpoints;  // at least one
  std::string token_file;           // empty: none
  tls::Files tls;                   // of an https:// endpoint

  std::string pool;                     // status and verify, where empty is all; roll
  std::optional<base::Duration> watch;  // status: again and again, so long apart
  std::string server;                   // SERVER; of token: --server
  std::string service;                  // --service; empty: the whole server

  std::string reason;                   // drain
  std::string startup;                  // drain: manual, automatic; empty: each service's default
  bool hide_host = false;               // drain
  bool force = false;                   // drain; backup, import: over what exists
  bool local_force = false;             // drain
  std::string at;                       // drain: a TIME
  std::string expires;                  // drain, sent as it is
  std::string then;                     // drain, sent as it is
  bool wait = false;                    // drain
  bool accepting = false;               // wait: until it accepts, not until it is drained
  std::optional<base::Duration> limit;  // of a wait (--wait DURATION, --timeout); absent: for ever

  std::string id;                       // schedule cancel
  std::string responder;                // cluster forget
  std::optional<std::uint32_t> newest;  // history: --limit; absent: the authority's own
  std::string file;                     // backup; "-": stdout
  std::string to;                       // import: etcd, embedded
  // import
  std::string config = "/etc/sluice/sluice.yaml";

  std::string exec;  // roll: what /bin/sh runs; may be empty with dry_run
  std::optional<std::uint32_t> max_unavailable;  // roll; absent: 1, or with domains a whole one
  bool domains = false;                          // roll
  base::Duration soak = kDefaultSoak;            // roll
  bool skip_unready = false;                     // roll
  bool dry_run = false;                          // roll, import
  std::string state_file;                        // roll; empty: the pool's own
  bool restart = false;                          // roll

  std::string name;                          // explain, dig: NAME; token, pki ca: --name
  std::string type;                          // explain, dig: TYPE
  std::vector<base::SocketAddress> servers;  // verify: resolvers; dig: at most one
  bool tcp = false;                          // dig: not over UDP first
  bool no_ns = false;                        // verify: not the zone's own name servers
  bool strict = false;                       // verify: a stale cache is no success
  std::string role;                          // token: ROLE
  std::string directory;                     // pki
  std::vector<std::string> names;            // pki: whom for; renew: empty: all that are due
  std::optional<std::uint32_t> days;         // pki; absent: each kind's own
  bool renew = false;                        // pki: in place of what exists
  bool new_key = false;                      // pki: with another key
  std::vector<std::string> pools;            // token: --pool

  // Whether it goes on until something is so, or a signal comes, after which something is to be
  // said or cleared away.
  bool waits() const {
    return wait || watch || command == Command::Wait || command == Command::Watch ||
           command == Command::Roll || command == Command::Backup;
  }
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
