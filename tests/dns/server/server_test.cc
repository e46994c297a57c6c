#include "dns/server/server.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dns/server/listen_sockets.h"
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

class ServerTest : public testing::Test {
 protected:
  test::Pool pool_;
};

TEST_F(ServerTest, AnswersOverUdpAndTcp) {
  Served server(pool_);
  const auto by_udp = UdpClient(server.address()).ask(query(5));
  ASSERT_TRUE(by_udp);
  EXPECT_EQ(test::id_of(*by_udp), 5U);
  EXPECT_EQ(test::member_of(*by_udp), 1U);
  const auto by_tcp = TcpClient(server.address()).ask(query(6));
  ASSERT_TRUE(by_tcp);
  EXPECT_EQ(test::id_of(*by_tcp), 6U);
  EXPECT_EQ(test::member_of(*by_tcp), 1U);
}

TEST_F(ServerTest, AnswersOverIPv6) {
  if (!test::has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  Served server(pool_, {loopback(), *SocketAddress::parse("::1@0")});
  const SocketAddress v6 = server->listening().at(1);
  EXPECT_TRUE(UdpClient(v6).ask(query(1)));
  EXPECT_TRUE(TcpClient(v6).ask(query(1)));
}

TEST_F(ServerTest, BothWorkersAnswer) {
  Served server(pool_);
  // 64 source ports: the chance that all go to one worker is 2^-63.
  for (std::uint16_t i = 0; i < 64; ++i) {
    EXPECT_TRUE(UdpClient(server.address()).ask(query(i)));
    EXPECT_TRUE(TcpClient(server.address()).ask(query(i)));
  }
  EXPECT_TRUE(server.wait_until([](const Counters& counters) {
    return counters.by(Transport::Udp, Rcode::NoError) == 64 &&
           counters.by(Transport::Tcp, Rcode::NoError) == 64 && counters.tcp_accepted == 64;
  }));
}

TEST_F(ServerTest, CountsByAnswerSetWhicheverWorkerAnswersAndThroughReloads) {
  Served server(pool_);
  const auto queries = [&] {
    const auto all = pool_.publisher().answer_set_queries();
    return all.empty() ? 0U : all.front().queries;
  };
  std::uint64_t asked = 0;
  for (int reload = 0; reload < 3; ++reload) {
    for (std::uint16_t i = 0; i < 16; ++i, asked += 3) {
      EXPECT_TRUE(UdpClient(server.address()).ask(query(i)));
      EXPECT_TRUE(UdpClient(server.address()).ask(query(i, "pool.example", RRType::AAAA)));
      EXPECT_TRUE(TcpClient(server.address()).ask(query(i)));
      EXPECT_TRUE(UdpClient(server.address()).ask(query(i, "ns1.pool.example")));
    }
    EXPECT_TRUE(server.wait_until([&](const Counters&) { return queries() == asked; }))
        << queries() << " of " << asked << ", reload " << reload;
    pool_.prepare();
    server.show(2);
    EXPECT_EQ(pool_.publisher().answer_set_queries().front().owner, "pool.example");
  }
  EXPECT_EQ(queries(), asked);
}

TEST_F(ServerTest, StandsGarbage) {
  Served server(pool_, {loopback()}, 1);
  UdpClient client(server.address());
  std::uint32_t state = 1;
  const auto next = [&state] {
    return static_cast<std::uint8_t>((state = state * 1'664'525U + 1'013'904'223U) >> 24);
  };
  TcpClient tcp(server.address());
  for (std::size_t size = 0; size < 600; ++size) {
    Octets octets(size);
    for (std::uint8_t& octet : octets) octet = next();
    client.send(octets);
    if (!tcp.send(octets)) tcp = TcpClient(server.address());
  }
  client.send(Octets(60'000, 0xC0));  // more than any buffer for a query has room for
  UdpClient after(server.address());
  EXPECT_TRUE(after.ask(query(1)));
  EXPECT_TRUE(TcpClient(server.address()).ask(query(2)));
}

TEST_F(ServerTest, AnIdleWorkerTakesAPublicationWhenItIsWoken) {
  Served server(pool_);
  for (unsigned member = 2; member < 50; ++member) server.show(member);
  const auto answer = UdpClient(server.address()).ask(query(1));
  ASSERT_TRUE(answer);
  EXPECT_EQ(test::member_of(*answer), 49U);
  EXPECT_EQ(pool_.publisher().retired(), 0U) << "no old snapshot is kept";
}

// An answer to a query that was sent after an acknowledgement must not be of an older publication;
// nor must an answer that is *sent* after it, which a client can't see. Members grow with the
// publications, so an answer is stale if its member is below that of the last acknowledgement.
TEST_F(ServerTest, AWorkerThatIsWokenComesRoundToIt) {
  Served server(pool_);
  for (const unsigned worker : {0U, 1U}) {
    const std::uint64_t before = server->wakings(worker);
    server->wake(worker);
    EXPECT_TRUE(server.wait_until([&](const auto&) { return server->wakings(worker) > before; }));
  }
}

TEST_F(ServerTest, GivesNoStaleAnswerInAFloodWhilePublicationsChange) {
  Served server(pool_);
  std::atomic<unsigned> acknowledged{1};
  std::atomic<bool> over{false};
  std::atomic<unsigned> stale{0};
  std::atomic<unsigned> answers{0};
  const auto judge = [&](unsigned least, const std::optional<Octets>& answer) {
    if (!answer) return false;
    if (test::member_of(*answer) < least) ++stale;
    ++answers;
    return true;
  };
  std::vector<std::thread> flood;
  for (int i = 0; i < 2; ++i) {
    flood.emplace_back([&] {
      UdpClient client(server.address());
      while (!over) {
        const unsigned least = acknowledged.load();
        for (std::uint16_t id = 0; id < 32; ++id) client.send(query(id));
        for (std::uint16_t id = 0; id < 32; ++id) {
          if (!judge(least, client.receive())) return;
        }
      }
    });
    flood.emplace_back([&] {
      TcpClient client(server.address());
      Octets queries;
      for (std::uint16_t id = 0; id < 32; ++id) {
        const Octets frame = test::framed(query(id));
        queries.insert(queries.end(), frame.begin(), frame.end());
      }
      while (!over) {
        const unsigned least = acknowledged.load();
        client.send(queries);
        for (std::uint16_t id = 0; id < 32; ++id) {
          if (!judge(least, client.receive())) return;
        }
      }
    });
  }
  for (unsigned member = 2; member <= test::Pool::kServers; ++member) {
    const unsigned seen = answers;
    server.show(member);
    acknowledged = member;
    // Each acknowledgement is tried by some answers.
    EXPECT_TRUE(server.wait_until([&](const Counters&) { return answers > seen + 64; }));
  }
  over = true;
  for (std::thread& thread : flood) thread.join();
  EXPECT_EQ(stale, 0U) << "of " << answers;
}

TEST_F(ServerTest, StopAnswersWhatWasReceived) {
  Served server(pool_, {loopback()}, 1);
  UdpClient udp(server.address());
  TcpClient tcp(server.address());
  ASSERT_TRUE(tcp.ask(query(0)));
  // On loopback what was sent is received when send() returns.
  for (std::uint16_t id = 0; id < 200; ++id) udp.send(query(id));
  Octets queries;
  for (std::uint16_t id = 0; id < 200; ++id) {
    const Octets frame = test::framed(query(id));
    queries.insert(queries.end(), frame.begin(), frame.end());
  }
  tcp.send(queries);
  server->stop();
  for (std::uint16_t id = 0; id < 200; ++id) {
    EXPECT_TRUE(udp.receive()) << id;
    EXPECT_TRUE(tcp.receive()) << id;
  }
  EXPECT_TRUE(tcp.ended());
  EXPECT_EQ(server->counters().by(Transport::Udp, Rcode::NoError), 200U) << "counters stay";
  server->stop();  // twice is as good
  server->wake();
}

TEST_F(ServerTest, AnotherServerGoesOnWithItsSocketsAndSessions) {
  Served first(pool_);
  UdpClient udp(first.address());
  TcpClient within_query(first.address());
  const Octets frame = test::framed(query(7));
  ASSERT_TRUE(within_query.ask(query(6)));
  within_query.send(std::span(frame).first(9));
  // Asks for more than its window has room for, so that an answer waits in the middle.
  constexpr std::uint16_t kQueries = 4000;
  TcpClient slow(first.address(), 4096);
  Octets queries;
  for (std::uint16_t id = 0; id < kQueries; ++id) {
    const Octets one = test::framed(query(id));
    queries.insert(queries.end(), one.begin(), one.end());
  }
  std::size_t sent = 0;
  while (const std::size_t now = slow.send_at_once(std::span(queries).subspan(sent))) sent += now;
  ASSERT_TRUE(udp.ask(query(1)));

  std::vector<SuspendedSession> sessions = first->suspend();
  EXPECT_EQ(sessions.size(), 2U);
  for (const SuspendedSession& session : sessions) EXPECT_TRUE(session.is_sound());
  udp.send(query(2));
  config::Dns settings;
  settings.workers = 3;
  const auto second = Server::start(settings, first.sockets(), pool_.cell(), [] {});
  ASSERT_TRUE(second);
  (*second)->resume(std::move(sessions));
  EXPECT_TRUE(udp.receive());
  within_query.send(std::span(frame).subspan(9));
  const auto answer = within_query.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ((*answer)[1], 7);

  std::thread rest([&] { slow.send(std::span(queries).subspan(sent)); });
  for (std::uint16_t id = 0; id < kQueries; ++id) {
    const auto in_order = slow.receive();
    ASSERT_TRUE(in_order) << id;
    EXPECT_EQ((*in_order)[0] << 8 | (*in_order)[1], id);
  }
  rest.join();
}

TEST_F(ServerTest, ASecondInstanceIsRefusedAndTheFirstGoesOn) {
  Served server(pool_);
  const auto second = open_listen_sockets({server.address()}, 2);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message,
            server.address().to_string() + ": address already in use by another sluiced");
  EXPECT_TRUE(UdpClient(server.address()).ask(query(1)));
}

TEST_F(ServerTest, ItsThreadsHaveNames) {
  Served server(pool_);
  server.show(2);  // each worker has run
  std::set<std::string> names;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream comm(task.path() / "comm");
    std::string name;
    std::getline(comm, name);
    names.insert(name);
  }
  EXPECT_TRUE(names.contains("dns-0"));
  EXPECT_TRUE(names.contains("dns-1"));
}

}  // namespace
}  // namespace sluice::dns
