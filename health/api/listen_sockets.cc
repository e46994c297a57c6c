#include "health/api/listen_sockets.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>
#include <uv.h>

namespace sluice::health {
namespace {

base::Unexpected<base::Error> failure(const base::SocketAddress& address) {
  return base::failure("api: " + address.to_string() + ": " + uv_strerror(-errno));
}

bool set(const base::FileDescriptor& fd, int level, int option) {
  const int on = 1;
  return ::setsockopt(fd.get(), level, option, &on, sizeof on) == 0;
}

base::Checked<ListenSockets::Tcp> open_tcp(const base::SocketAddress& address) {
  const int family = address.address.is_v4() ? AF_INET : AF_INET6;
  base::FileDescriptor fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return failure(address);
  // A restart must not wait for the connections that the last run left in TIME_WAIT.
  if (!set(fd, SOL_SOCKET, SO_REUSEADDR)) return failure(address);
  // ::@PORT must leave 0.0.0.0@PORT to whoever lists it.
  if (family == AF_INET6 && !set(fd, IPPROTO_IPV6, IPV6_V6ONLY)) return failure(address);
  sockaddr_storage storage{};
  socklen_t length = address.to(storage);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return failure(address);
  }
  length = sizeof storage;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    return failure(address);
  }
  const auto bound = base::SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage));
  return ListenSockets::Tcp{bound.value_or(address), std::move(fd)};
}

// Takes what is wanted out of `inherited`.
std::optional<ListenSockets::Tcp> find(std::vector<ListenSockets::Tcp>& inherited,
                                       const base::SocketAddress& wanted) {
  const auto found = std::ranges::find_if(inherited, [&](const ListenSockets::Tcp& socket) {
    return socket.address.address == wanted.address &&
           (wanted.port == 0 || wanted.port == socket.address.port);
  });
  if (found == inherited.end()) return std::nullopt;
  std::optional<ListenSockets::Tcp> socket = std::move(*found);
  inherited.erase(found);
  return socket;
}

}  // namespace

base::Checked<ListenSockets> open_listen_sockets(const config::Api& api, ListenSockets inherited) {
  std::vector<std::optional<ListenSockets::Tcp>> found(api.listen.size());
  // What is asked for by its port goes before what may have any.
  for (const bool any_port : {false, true}) {
    for (std::size_t i = 0; i < found.size(); ++i) {
      if ((api.listen[i].port == 0) == any_port) found[i] = find(inherited.tcp, api.listen[i]);
    }
  }
  ListenSockets sockets;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i]) {
      sockets.tcp.push_back(*std::move(found[i]));
      continue;
    }
    auto opened = open_tcp(api.listen[i]);
    if (!opened) return base::Unexpected{std::move(opened).error()};
    sockets.tcp.push_back(*std::move(opened));
  }
  if (api.socket.path.empty()) return sockets;
  if (inherited.unix_socket && inherited.unix_socket->path() == api.socket.path &&
      inherited.unix_socket->has_file()) {
    sockets.unix_socket = std::move(inherited.unix_socket);
    return sockets;
  }
  auto opened = UnixListener::open(api.socket);
  if (!opened) return base::Unexpected{std::move(opened).error()};
  sockets.unix_socket = *std::move(opened);
  return sockets;
}

}  // namespace sluice::health
