#include "dns/server/tcp_clients.h"

#include <chrono>
#include <span>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>

#include "tests/dns/server/client.h"
#include "tests/dns/server/pool.h"
#include "tests/dns/server/served.h"

namespace sluice::dns {
namespace {

using test::loopback;
using test::Octets;
using test::query;
using test::Served;
using test::TcpClient;

class TcpClientsTest : public testing::Test {
 protected:
  test::Pool pool_;
};

// A client that does not read can't delay an acknowledgement, nor get old answers later but for
// those that the kernel had.
TEST_F(TcpClientsTest, AClientThatDoesNotReadGetsNoMoreOldAnswersThanTheKernelHad) {
  Served server(pool_, {loopback()}, 1);
  TcpClient client(server.address(), 4'096);
  Octets queries;
  for (std::uint16_t id = 0; id < 1'000; ++id) {
    const Octets frame = test::framed(query(id));
    queries.insert(queries.end(), frame.begin(), frame.end());
  }
  // Until neither the server's socket nor ours takes more: it does not read what it can't answer.
  std::size_t sent = 0;
  pollfd writable{client.fd(), POLLOUT, 0};
  while (::poll(&writable, 1, 200) > 0) {
    const std::size_t at = sent % queries.size();
    sent += client.send_at_once(std::span(queries).subspan(at));
  }
  ASSERT_GT(sent, 2 * queries.size()) << "back-pressure came at once";
  EXPECT_LT(sent, 8U << 20U) << "no back-pressure";
  const auto whole = static_cast<std::size_t>(sent / (queries.size() / 1'000));
  const std::uint64_t with_kernel = server->counters().by(Transport::Tcp, Rcode::NoError);
  ASSERT_LT(with_kernel, whole) << "the server kept answering";

  server.show(2);  // not delayed
  std::uint64_t old = 0;
  for (std::size_t i = 0; i < whole; ++i) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer) << "after " << i << " of " << whole;
    EXPECT_EQ(test::id_of(*answer), i % 1'000);
    if (test::member_of(*answer) == 1) ++old;
  }
  EXPECT_EQ(old, with_kernel);
}

TEST_F(TcpClientsTest, AnswersWhatAHalfClosedClientAsked) {
  Served server(pool_);
  TcpClient client(server.address());
  Octets queries;
  for (std::uint16_t id = 0; id < 200; ++id) {
    const Octets frame = test::framed(query(id));
    queries.insert(queries.end(), frame.begin(), frame.end());
  }
  client.send(queries);
  client.end_sending();
  for (std::uint16_t id = 0; id < 200; ++id) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer) << id;
    EXPECT_EQ(test::id_of(*answer), id);
  }
  EXPECT_TRUE(client.ended());
}

TEST_F(TcpClientsTest, EndsIdleClients) {
  TcpLimits limits;
  limits.idle = std::chrono::milliseconds(40);
  Served server(pool_, {loopback()}, 1, limits);
  TcpClient silent(server.address());
  TcpClient asked(server.address());
  ASSERT_TRUE(asked.ask(query(1)));
  EXPECT_TRUE(silent.ended());
  EXPECT_TRUE(asked.ended());
  EXPECT_EQ(server->counters().tcp_timed_out, 2U);
}

TEST_F(TcpClientsTest, EndsAClientThatDripsItsMessage) {
  TcpLimits limits;
  limits.message = std::chrono::milliseconds(40);
  Served server(pool_, {loopback()}, 1, limits);
  TcpClient client(server.address());
  // An octet whenever the last one was read: it never falls silent, and is not forgiven for it.
  const Octets frame = test::framed(Octets(60'000, 0));
  const auto begin = std::chrono::steady_clock::now();
  std::size_t at = 0;
  while (at < frame.size() && client.send(std::span(frame).subspan(at, 1))) {
    ++at;
    pollfd readable{client.fd(), POLLIN, 0};
    if (::poll(&readable, 1, 1) > 0) break;
  }
  EXPECT_TRUE(client.ended());
  EXPECT_LT(at, frame.size());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(8));
  EXPECT_EQ(server->counters().tcp_timed_out, 1U);
}

TEST_F(TcpClientsTest, EndsAClientThatNeverReads) {
  TcpLimits limits;
  limits.unread = std::chrono::milliseconds(40);
  Served server(pool_, {loopback()}, 1, limits);
  TcpClient client(server.address(), 4'096);
  const Octets frame = test::framed(query(1));
  Octets queries;
  for (int i = 0; i < 1'000; ++i) queries.insert(queries.end(), frame.begin(), frame.end());
  while (client.send(queries)) {
  }
  EXPECT_TRUE(
      server.wait_until([](const Counters& counters) { return counters.tcp_timed_out == 1; }));
}

TEST_F(TcpClientsTest, ANewClientTakesThePlaceOfTheOneThatWasIdleLongest) {
  TcpLimits limits;
  limits.clients = 3;
  Served server(pool_, {loopback()}, 1, limits);
  TcpClient first(server.address());
  ASSERT_TRUE(first.ask(query(1)));
  TcpClient second(server.address());
  ASSERT_TRUE(second.ask(query(2)));
  TcpClient third(server.address());
  ASSERT_TRUE(third.ask(query(3)));
  ASSERT_TRUE(first.ask(query(4))) << "the second is idle longest now";
  TcpClient fourth(server.address());
  ASSERT_TRUE(fourth.ask(query(5)));
  EXPECT_TRUE(second.ended());
  EXPECT_TRUE(first.ask(query(6)));
  EXPECT_TRUE(third.ask(query(7)));
  EXPECT_EQ(server->counters().tcp_evicted, 1U);
}

TEST_F(TcpClientsTest, IdleClientsAndHalfMessagesKeepNobodyWaiting) {
  Served server(pool_);
  std::vector<TcpClient> others;
  for (int i = 0; i < 300; ++i) others.emplace_back(server.address());
  for (int i = 0; i < 50; ++i) {
    others.emplace_back(server.address());
    others.back().send(Octets{0, 29, 1, 2, 3});
  }
  for (std::uint16_t i = 0; i < 20; ++i) {
    TcpClient client(server.address());
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(client.ask(query(i)));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  }
  EXPECT_EQ(server->counters().tcp_evicted, 0U);
  server.show(2);
}

}  // namespace
}  // namespace sluice::dns
