#include "dns/server/server.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>

#include "dns/server/listen_sockets.h"
#include "tests/dns/server/pool.h"

namespace sluice::dns {
namespace {

using base::SocketAddress;
using test::loopback;
using test::Octets;
using test::query;
using test::TcpClient;
using test::UdpClient;

// Publishes as the control thread does: wakes the workers, and waits until all have marked.
class Served {
 public:
  explicit Served(test::Pool& pool, std::vector<SocketAddress> listen = {loopback()},
                  unsigned workers = 2, TcpLimits limits = {})
      : pool_(pool) {
    config::Dns settings;
    settings.listen = std::move(listen);
    settings.workers = workers;
    auto server = Server::start(
        settings, pool.cell(),
        [this] {
          const std::lock_guard lock(mutex_);
          ++progress_;
          changed_.notify_all();
        },
        limits);
    if (server) server_ = *std::move(server);
    EXPECT_TRUE(server_);
  }
  ~Served() {
    if (server_) server_->stop();
  }

  Server& operator*() { return *server_; }
  Server* operator->() { return server_.get(); }
  SocketAddress address() const { return server_->listening().front(); }

  // Returns when no answer of an older publication is sent any more.
  void show(unsigned member) {
    const std::uint64_t publication = pool_.show(member);
    server_->wake();
    std::unique_lock lock(mutex_);
    const bool served = changed_.wait_for(lock, std::chrono::seconds(10),
                                          [&] { return server_->served() >= publication; });
    ASSERT_TRUE(served) << "some worker does not answer by it";
    lock.unlock();
    pool_.publisher().served(publication);
  }

  // Ends when `reached` is true of the counters.
  template <class Condition>
  ::testing::AssertionResult wait_until(Condition reached) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!reached(server_->counters())) {
      if (std::chrono::steady_clock::now() > patience) {
        return ::testing::AssertionFailure() << "not within ten seconds";
      }
      std::this_thread::yield();
    }
    return ::testing::AssertionSuccess();
  }

 private:
  test::Pool& pool_;
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned progress_ = 0;
  std::unique_ptr<Server> server_;
};

bool has_ipv6() {
  return open_listen_sockets({*SocketAddress::parse("::1@0")}, 1).has_value();
}

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
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  Served server(pool_, {loopback(), *SocketAddress::parse("::1@0")});
  const SocketAddress v6 = server->listening().at(1);
  EXPECT_TRUE(UdpClient(v6).ask(query(1)));
  EXPECT_TRUE(TcpClient(v6).ask(query(1)));
}

TEST_F(ServerTest, AnswersFromTheAddressThatWasAsked) {
  Served server(pool_, {*SocketAddress::parse("0.0.0.0@0")});
  const std::uint16_t port = server.address().port;
  // A connected socket takes answers from the asked address alone.
  for (const char* address : {"127.0.0.1", "127.0.0.2", "127.8.9.10"}) {
    EXPECT_TRUE(UdpClient({*base::IpAddress::parse(address), port}).ask(query(1))) << address;
  }
}

TEST_F(ServerTest, AnswersOnTheWildcardsOfBothFamilies) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
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

TEST_F(ServerTest, TruncatesOverUdpAloneAndCountsIt) {
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

TEST_F(ServerTest, AnswersManyUdpQueriesThatWaitTogether) {
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

// A client that does not read can't delay an acknowledgement, nor get old answers later but for
// those that the kernel had.
TEST_F(ServerTest, AClientThatDoesNotReadGetsNoMoreOldAnswersThanTheKernelHad) {
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

TEST_F(ServerTest, AnswersWhatAHalfClosedClientAsked) {
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

TEST_F(ServerTest, EndsIdleClients) {
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

TEST_F(ServerTest, EndsAClientThatDripsItsMessage) {
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

TEST_F(ServerTest, EndsAClientThatNeverReads) {
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

TEST_F(ServerTest, ANewClientTakesThePlaceOfTheOneThatWasIdleLongest) {
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

TEST_F(ServerTest, IdleClientsAndHalfMessagesKeepNobodyWaiting) {
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

TEST_F(ServerTest, RecoversWhenThereWereNoFileDescriptors) {
  Served server(pool_, {loopback()}, 1);
  const FileDescriptor client = test::make_socket(server.address(), SOCK_STREAM);
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
  const Octets frame = test::framed(query(1));
  ASSERT_GT(::send(client.get(), frame.data(), frame.size(), 0), 0);
  Octets answer(512);
  EXPECT_GT(::recv(client.get(), answer.data(), answer.size(), 0), 2);
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

TEST_F(ServerTest, ASecondInstanceIsRefusedAndTheFirstGoesOn) {
  Served server(pool_);
  config::Dns settings;
  settings.listen = {server.address()};
  settings.workers = 2;
  const auto second = Server::start(settings, pool_.cell(), [] {});
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
