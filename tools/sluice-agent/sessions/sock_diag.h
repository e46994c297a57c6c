#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "config/base/address.h"
#include "config/base/error.h"

struct inet_diag_bc_op;

namespace sluice::agent {

// An established TCP connection, of IPv4 or IPv6.
struct Connection {
  std::uint16_t local_port = 0;
  base::SocketAddress remote;  // an IPv4-mapped IPv6 address is given as IPv4
  std::uint64_t cookie = 0;    // the kernel's number of the socket, never used twice in a boot
};

// The connections in state ESTABLISHED whose local port is one of `ports`, as the kernel lists them
// (sock_diag(7)): the kernel itself filters, no privilege is needed. Those that wait in a listen
// backlog are among them. An error when the kernel cannot tell or when messages were lost several
// times running: then the number is not known, which is never zero.
base::Checked<std::vector<Connection>> established_connections(
    std::span<const std::uint16_t> ports);

// The filter for the kernel (linux/inet_diag.h): accepts a socket whose local port is one of
// `ports`. Ports that follow each other become one range. Here for its test.
std::vector<inet_diag_bc_op> port_filter(std::span<const std::uint16_t> ports);

}  // namespace sluice::agent
