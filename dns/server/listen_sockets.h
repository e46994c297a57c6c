#pragma once

#include <vector>

#include "config/base/address.h"
#include "config/base/error.h"
#include "config/base/file_descriptor.h"

namespace sluice::dns {

// The sockets of one listen address: a UDP socket and a listening TCP socket for each worker, all
// bound to the same address and port (SO_REUSEPORT: the kernel spreads the clients over them).
//
// SO_REUSEPORT alone would let a second daemon of the same user bind too and take half of the
// queries in silence. So the first socket of each transport is bound without it, which fails
// against any other socket at the address, and shares only once the address is ours. The `name`, an
// abstract unix socket (one for each network namespace, freed by the kernel when we die), decides
// nothing: it tells a second sluiced from another program in the message. A stranger who takes the
// name locks nobody out. It must be kept for as long as the address is served.
struct ListenSockets {
  base::SocketAddress address;  // with the real port
  base::FileDescriptor name;
  // One for each worker, at least.
  std::vector<base::FileDescriptor> udp;
  std::vector<base::FileDescriptor> tcp;
};

// Opens the sockets of every address, or none. `inherited`: open already, of a process whose place
// this one takes; those at an address that is wanted are used, and shared where there are more
// workers now; what is left of them is closed. Port 0: one that is inherited,
// else the kernel chooses for UDP, and TCP takes the same number. Addresses that overlap (twice the
// same, or a wildcard beside one of its addresses) are refused: one of them would never see a
// query.
base::Checked<std::vector<ListenSockets>> open_listen_sockets(
    const std::vector<base::SocketAddress>& addresses, unsigned workers,
    std::vector<ListenSockets> inherited = {});

}  // namespace sluice::dns
