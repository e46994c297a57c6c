#include "tools/sluice-agent/sessions/sock_diag.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::agent {
namespace {

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) { EXPECT_GE(fd, 0); }
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

base::SocketAddress end_of(const Socket& socket, decltype(&getsockname) get) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  EXPECT_EQ(get(socket.get(), reinterpret_cast<sockaddr*>(&storage), &length), 0);
  return *base::SocketAddress::from(reinterpret_cast<sockaddr*>(&storage));
}

Socket listen_on(int family, const char* address) {
  Socket listener(socket(family, SOCK_STREAM, 0));
  const int off = 0;
  if (family == AF_INET6) setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  sockaddr_storage storage{};
  const socklen_t length = base::SocketAddress{*base::IpAddress::parse(address), 0}.to(storage);
  EXPECT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&storage), length), 0);
  EXPECT_EQ(listen(listener.get(), 512), 0);
  return listener;
}

Socket connect_to(const base::SocketAddress& target) {
  Socket client(socket(target.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM, 0));
  sockaddr_storage storage{};
  const socklen_t length = target.to(storage);
  EXPECT_EQ(connect(client.get(), reinterpret_cast<sockaddr*>(&storage), length), 0);
  return client;
}

struct Pair {
  Socket client;
  Socket server;
};

Pair connect_pair(const Socket& listener, const base::SocketAddress& target) {
  Socket client = connect_to(target);
  Socket server(accept(listener.get(), nullptr, nullptr));
  return {std::move(client), std::move(server)};
}

std::vector<Connection> connections(std::vector<std::uint16_t> ports) {
  const auto found = established_connections(ports);
  EXPECT_TRUE(found) << (found ? "" : found.error().message);
  return found ? *found : std::vector<Connection>{};
}

struct Family {
  const char* name;
  int family;
  const char* listen;
  const char* connect;
};

class Families : public testing::TestWithParam<Family> {};

TEST_P(Families, CountsEstablishedConnectionsByTheirLocalPort) {
  const Socket listener = listen_on(GetParam().family, GetParam().listen);
  const std::uint16_t port = end_of(listener, getsockname).port;
  const base::SocketAddress target{*base::IpAddress::parse(GetParam().connect), port};
  EXPECT_TRUE(connections({port}).empty()) << "a listening socket is no session";

  std::vector<Pair> pairs;
  for (std::size_t i = 1; i <= 5; ++i) {
    pairs.push_back(connect_pair(listener, target));
    EXPECT_EQ(connections({port}).size(), i);
  }
  // The remote ends are the clients', an IPv4-mapped one as IPv4, and each socket has its cookie.
  std::vector<base::SocketAddress> remotes;
  std::vector<base::SocketAddress> clients;
  std::map<std::uint64_t, int> cookies;
  for (const Connection& connection : connections({port})) {
    EXPECT_EQ(connection.local_port, port);
    remotes.push_back(connection.remote);
    ++cookies[connection.cookie];
  }
  for (const Pair& pair : pairs) clients.push_back(end_of(pair.client, getsockname));
  std::sort(remotes.begin(), remotes.end());
  std::sort(clients.begin(), clients.end());
  EXPECT_EQ(remotes, clients);
  EXPECT_EQ(cookies.size(), pairs.size());
  // The other end of each has that port as its remote one: it is no session of this service.
  const std::uint16_t client_port = clients.front().port;
  for (const Connection& connection : connections({client_port})) {
    EXPECT_EQ(connection.remote.port, port);
  }
}

TEST_P(Families, CountsNoConnectionThatOneSideHasClosed) {
  const Socket listener = listen_on(GetParam().family, GetParam().listen);
  const std::uint16_t port = end_of(listener, getsockname).port;
  const base::SocketAddress target{*base::IpAddress::parse(GetParam().connect), port};
  Pair stays = connect_pair(listener, target);
  Pair client_left = connect_pair(listener, target);  // CLOSE-WAIT
  Pair server_left = connect_pair(listener, target);  // FIN-WAIT
  client_left.client.close();
  shutdown(server_left.server.get(), SHUT_WR);
  // The FIN is there when the other side can read the end.
  pollfd ready{client_left.server.get(), POLLIN, 0};
  ASSERT_EQ(poll(&ready, 1, 10'000), 1);
  EXPECT_EQ(connections({port}).size(), 1U);
  stays.server.close();
  EXPECT_TRUE(connections({port}).empty());
}

INSTANTIATE_TEST_SUITE_P(SockDiag, Families,
                         testing::Values(Family{"IPv4", AF_INET, "127.0.0.1", "127.0.0.1"},
                                         Family{"IPv6", AF_INET6, "::1", "::1"},
                                         Family{"IPv4Mapped", AF_INET6, "::", "127.0.0.1"}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(SockDiag, FiltersManyPortsApartAndInARow) {
  std::vector<Socket> listeners;
  std::vector<Pair> pairs;
  std::vector<std::uint16_t> ports;
  for (int i = 0; i < 12; ++i) {
    listeners.push_back(listen_on(AF_INET, "127.0.0.1"));
    const auto where = end_of(listeners.back(), getsockname);
    ports.push_back(where.port);
    pairs.push_back(connect_pair(listeners.back(), where));
  }
  // Each subset finds its own and no other.
  for (unsigned mask = 0; mask < (1U << 12U); mask += 37) {
    std::vector<std::uint16_t> wanted;
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if ((mask >> i & 1U) != 0) wanted.push_back(ports[i]);
    }
    std::vector<std::uint16_t> found;
    for (const Connection& connection : connections(wanted)) found.push_back(connection.local_port);
    std::sort(wanted.begin(), wanted.end());
    std::sort(found.begin(), found.end());
    ASSERT_EQ(found, wanted);
  }
}

// What the kernel does with a program (inet_diag_bc_run, net/ipv4/inet_diag.c), for one port.
bool accepts(const std::vector<inet_diag_bc_op>& program, std::uint16_t port) {
  constexpr int kOp = sizeof(inet_diag_bc_op);
  int left = static_cast<int>(program.size()) * kOp;
  std::size_t at = 0;
  while (left > 0) {
    const inet_diag_bc_op& op = program.at(at);
    bool yes = false;
    if (op.code == INET_DIAG_BC_S_GE) yes = port >= program.at(at + 1).no;
    if (op.code == INET_DIAG_BC_S_LE) yes = port <= program.at(at + 1).no;
    const int step = yes ? op.yes : op.no;
    left -= step;
    at += static_cast<std::size_t>(step / kOp);
  }
  return left == 0;
}

TEST(PortFilter, AcceptsExactlyItsPorts) {
  const std::vector<std::vector<std::uint16_t>> cases{
      {1}, {65535}, {5060, 5061}, {5061, 5060, 5062}, {80, 443, 5060, 5061, 8443}, {1, 65535}};
  for (const auto& ports : cases) {
    const auto program = port_filter(ports);
    for (unsigned port = 0; port <= 65535; ++port) {
      const bool wanted = std::find(ports.begin(), ports.end(), port) != ports.end();
      ASSERT_EQ(accepts(program, static_cast<std::uint16_t>(port)), wanted) << port;
    }
  }
}

TEST(PortFilter, JoinsPortsInARow) {
  std::vector<std::uint16_t> row;
  for (std::uint16_t port = 10'000; port < 20'000; ++port) row.push_back(port);
  EXPECT_EQ(port_filter(row).size(), 4U);
}

TEST(SockDiag, AsksNothingForNoPorts) {
  EXPECT_TRUE(connections({}).empty());
}

}  // namespace
}  // namespace sluice::agent
