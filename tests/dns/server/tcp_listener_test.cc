#include "dns/server/tcp_listener.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include "tests/dns/server/client.h"
#include "tests/dns/server/pool.h"
#include "tests/dns/server/served.h"

namespace sluice::dns {
namespace {

using test::loopback;
using test::Octets;
using test::query;
using test::Served;

class TcpListenerTest : public testing::Test {
 protected:
  test::Pool pool_;
};

TEST_F(TcpListenerTest, RecoversWhenThereWereNoFileDescriptors) {
  Served server(pool_, {loopback()}, 1);
  const base::FileDescriptor client = test::make_socket(server.address(), SOCK_STREAM);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(client.get());  // every new descriptor would be above
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  test::connect_to(client, server.address());
  const auto refused =
      server.wait_until([](const Counters& counters) { return counters.tcp_accept_errors > 0; });
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(refused);
  EXPECT_LT(server->counters().tcp_accept_errors, 1'000U) << "it spins";
  EXPECT_TRUE(server.wait_until(
      [](const Counters& counters) { return counters.tcp_listeners_paused() == 0; }));
  const Octets frame = test::framed(query(1));
  ASSERT_GT(::send(client.get(), frame.data(), frame.size(), 0), 0);
  Octets answer(512);
  EXPECT_GT(::recv(client.get(), answer.data(), answer.size(), 0), 2);
}

TEST_F(TcpListenerTest, EndsIdleClientsAndKeepsOthersWaitingWhileMemoryIsShort) {
  Served server(pool_, {loopback()}, 1);
  test::TcpClient idle(server.address());
  ASSERT_TRUE(idle.ask(query(1)));
  server->shed(true);
  EXPECT_TRUE(idle.ended());
  test::TcpClient late(server.address());
  late.send(test::framed(query(2)));
  test::UdpClient udp(server.address());
  for (std::uint16_t id = 3; id < 30; ++id) EXPECT_TRUE(udp.ask(query(id)));
  server.show(2);  // publications are served all the same
  pollfd answer{late.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&answer, 1, 50), 0) << "it was taken";
  server->shed(false);
  EXPECT_TRUE(late.receive());
}

}  // namespace
}  // namespace sluice::dns
