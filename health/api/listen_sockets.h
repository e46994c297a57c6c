#pragma once

#include <optional>
#include <vector>

#include "config/base/address.h"
#include "config/base/error.h"
#include "config/base/file_descriptor.h"
#include "config/model.h"
#include "health/api/unix_listener.h"

namespace sluice::health {

// The sockets of the API, which listen: clients wait in them until an Api takes them.
struct ListenSockets {
  struct Tcp {
    base::SocketAddress address;  // with the real port
    base::FileDescriptor fd;
  };
  std::vector<Tcp> tcp;  // in the order of the configuration
  std::optional<UnixListener> unix_socket;
};

// Opens all that are configured, or none. `inherited`: open already, of a process whose place this
// one takes; those that are configured are used, the others are closed.
base::Checked<ListenSockets> open_listen_sockets(const config::Api& api,
                                                 ListenSockets inherited = {});

}  // namespace sluice::health
