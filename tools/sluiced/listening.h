#pragma once

#include <vector>

#include "config/base/error.h"
#include "config/model.h"
#include "dns/server/listen_sockets.h"
#include "health/api/listen_sockets.h"

namespace sluice {

// Every socket that clients come to. All are opened in one place, right after the configuration was
// read and before anything else is: no thread runs yet, no file is written, and what a process
// needed its privileges for (ports below 1024, a socket's group) is behind it. Clients wait in
// them until the DNS workers and the API take them, by descriptors of their own.
struct Listening {
  std::vector<dns::ListenSockets> dns;  // in the order of the configuration
  health::ListenSockets api;
};

// All or none; the error names the address. `inherited`: open already, of a process whose place
// this one takes; those that the configuration names are used.
base::Checked<Listening> open_listening(const config::Config& config, Listening inherited = {});

}  // namespace sluice
