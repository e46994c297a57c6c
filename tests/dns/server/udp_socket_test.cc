#include "dns/server/udp_socket.h"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dns/server/client.h"
#include "tests/dns/server/pool.h"
#include "tests/dns/server/served.h"

namespace sluice::dns {
namespace {

using base::SocketAddress;
using test::loopback;
using test::Octets;
using test::query;
using test::Served;
using test::TcpClient;
using test::UdpClient;

class UdpSocketTest : public testing::Test {
 protected:
  test::Pool pool_;
};

// At a pair of unix sockets the kernel takes few answers, and only when the client reads: what it
// does not take is dropped, and never sent later.
TEST_F(UdpSocketTest, DropsWhatTheKernelDoesNotTake) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
  UdpSocket socket(base::FileDescriptor{ends[0]}, false);
  const base::FileDescriptor client(ends[1]);
  Responder responder(pool_.cell(), {}, [] {});
  const auto batch = std::make_unique<UdpBatch>();
  const auto counters = [&responder] { return responder.counters().read(); };

  std::uint64_t asked = 0;
  const Octets octets = query(1);
  for (int turn = 0; turn < 1'000 && counters().udp_dropped == 0; ++turn) {
    unsigned waiting = 0;
    while (waiting<UdpBatch::kMessages&& ::send(client.get(), octets.data(), octets.size(), 0)> 0) {
      ++waiting;
    }
    EXPECT_EQ(socket.serve(*batch, responder), waiting);
    asked += waiting;
  }
  ASSERT_GT(counters().udp_dropped, 0U);
  EXPECT_EQ(counters().by(Transport::Udp, Rcode::NoError) + counters().udp_dropped, asked);

  std::uint64_t received = 0;
  Octets room(4'096);
  while (::recv(client.get(), room.data(), room.size(), 0) > 0) ++received;
  EXPECT_EQ(received, counters().by(Transport::Udp, Rcode::NoError));
  EXPECT_EQ(socket.serve(*batch, responder), 0U);
  EXPECT_LT(::recv(client.get(), room.data(), room.size(), 0), 0) << "sent late";
}

TEST_F(UdpSocketTest, TakesAPublicationThoughNothingWasReceived) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), 0);
  UdpSocket socket(base::FileDescriptor{ends[0]}, false);
  const base::FileDescriptor client(ends[1]);
  Responder responder(pool_.cell(), {}, [] {});
  const std::uint64_t publication = pool_.show(2);
  EXPECT_EQ(socket.serve(*std::make_unique<UdpBatch>(), responder), 0U);
  EXPECT_EQ(responder.publication(), publication);
}

TEST_F(UdpSocketTest, AnswersFromTheAddressThatWasAsked) {
  Served server(pool_, {*SocketAddress::parse("0.0.0.0@0")});
  const std::uint16_t port = server.address().port;
  // A connected socket takes answers from the asked address alone.
  for (const char* address : {"127.0.0.1", "127.0.0.2", "127.8.9.10"}) {
    EXPECT_TRUE(UdpClient({*base::IpAddress::parse(address), port}).ask(query(1))) << address;
  }
}

TEST_F(UdpSocketTest, AnswersOnTheWildcardsOfBothFamilies) {
  if (!test::has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  Served server(pool_, {*SocketAddress::parse("::@0"), *SocketAddress::parse("0.0.0.0@0"),
                        *SocketAddress::parse("127.0.0.1@0")});
  // One worker's sockets share the buffers for the asked addresses, those without a wildcard too.
  for (int i = 0; i < 3; ++i) {
    const std::array addresses = {"::1", "127.0.0.2", "127.0.0.1"};
    for (std::size_t at = 0; at < addresses.size(); ++at) {
      const SocketAddress asked{*base::IpAddress::parse(addresses[at]),
                                server->listening().at(at).port};
      EXPECT_TRUE(UdpClient(asked).ask(query(1))) << asked.to_string();
      EXPECT_TRUE(TcpClient(asked).ask(query(1))) << asked.to_string();
    }
  }
}

TEST_F(UdpSocketTest, TruncatesOverUdpAloneAndCountsIt) {
  Served server(pool_);
  const Octets large = query(1, "large.pool.example", RRType::TXT);
  const auto by_udp = UdpClient(server.address()).ask(large);
  ASSERT_TRUE(by_udp);
  EXPECT_NE(by_udp->at(2) & 0x02, 0) << "TC";
  const auto by_tcp = TcpClient(server.address()).ask(large);
  ASSERT_TRUE(by_tcp);
  EXPECT_EQ(by_tcp->at(2) & 0x02, 0);
  EXPECT_GT(by_tcp->size(), 750U);
  EXPECT_TRUE(server.wait_until([](const Counters& counters) {
    return counters.truncated == 1 && counters.by(Transport::Tcp, Rcode::NoError) == 1;
  }));
}

TEST_F(UdpSocketTest, AnswersManyUdpQueriesThatWaitTogether) {
  Served server(pool_, {loopback()}, 1);
  UdpClient client(server.address());
  // As many as the client's own receive buffer has room for (212,992 octets, 768 a packet).
  for (std::uint16_t id = 0; id < 200; ++id) client.send(query(id));
  std::vector<bool> answered(200);
  for (int i = 0; i < 200; ++i) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer) << "after " << i;
    answered.at(test::id_of(*answer)) = true;
  }
  EXPECT_EQ(std::count(answered.begin(), answered.end(), true), 200);
  EXPECT_TRUE(server.wait_until([](const Counters& counters) {
    return counters.udp_received == 200 && counters.by(Transport::Udp, Rcode::NoError) == 200;
  }));
}

// Where the kernel can't cut a packet (here: it may not compute its checksums), each answer goes
// by itself, and none is lost.
TEST_F(UdpSocketTest, SendsOneByOneWhereTheKernelRefusesToCut) {
  base::FileDescriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
  sockaddr_storage storage{};
  const socklen_t length = loopback().to(storage);
  ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length), 0);
  socklen_t size = sizeof storage;
  ASSERT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &size), 0);
  const auto address = SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage));
  const int none = 1;
  ASSERT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_NO_CHECK, &none, sizeof none), 0);

  UdpSocket socket(std::move(fd), false);
  Responder responder(pool_.cell(), {}, [] {});
  const auto batch = std::make_unique<UdpBatch>();
  UdpClient client(*address);
  for (int turn = 0; turn < 2; ++turn) {
    for (std::uint16_t id = 0; id < 10; ++id) client.send(query(id));
    EXPECT_EQ(socket.serve(*batch, responder), 10U);
    for (std::uint16_t id = 0; id < 10; ++id) {
      const auto answer = client.receive();
      ASSERT_TRUE(answer);
      EXPECT_EQ(test::id_of(*answer), id);
    }
  }
  EXPECT_EQ(responder.counters().read().by(Transport::Udp, Rcode::NoError), 20U);
  EXPECT_EQ(responder.counters().read().udp_send_errors, 0U);
}

TEST_F(UdpSocketTest, AnswersToManyClientsInOneBatchReachEachItsOwn) {
  Served server(pool_, {loopback()}, 1);
  std::vector<std::unique_ptr<UdpClient>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(std::make_unique<UdpClient>(server.address()));
  for (std::uint16_t id = 0; id < 40; ++id) {
    // Now and then an answer of another size between them.
    const bool other = id % 5 == 0;
    clients[id / 3 % 8]->send(query(id, other ? "s1.pool.example" : "pool.example"));
  }
  // To one client, those of one size may come before those of another.
  std::vector<std::vector<unsigned>> got(clients.size());
  for (std::uint16_t id = 0; id < 40; ++id) {
    const auto answer = clients[id / 3 % 8]->receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(test::count_of(*answer), 1U);
    got[id / 3 % 8].push_back(test::id_of(*answer));
  }
  for (std::size_t client = 0; client < got.size(); ++client) {
    std::vector<unsigned> asked;
    for (unsigned id = 0; id < 40; ++id) {
      if (id / 3 % 8 == client) asked.push_back(id);
    }
    EXPECT_THAT(got[client], testing::UnorderedElementsAreArray(asked));
  }
}

}  // namespace
}  // namespace sluice::dns
