#pragma once

#include "config/base/error.h"
#include "config/model.h"
#include "tools/sluiced/listening.h"

namespace sluice {

// All that a start does with root's privileges, where it has them: sockets, missing directories.
// They are gone when this returns (privileges.h), and the process is who may use its store.
// `inherited`: as of open_listening(). What the process will stumble over later is a warning in the
// log. Before any other thread runs.
base::Checked<Listening> open_sockets(const config::Config& config, Listening inherited);

}  // namespace sluice
