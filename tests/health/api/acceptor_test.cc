#include "health/api/acceptor.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/health/api/world.h"

namespace sluice::health::testing {
namespace {

// Takes all descriptors but those that are open; gives them back at its end.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    const int next = ::dup(STDIN_FILENO);
    none.rlim_cur = static_cast<rlim_t>(next);
    ::close(next);
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

template <class Condition>
bool eventually(Condition condition) {
  for (int tries = 0; tries < 2'000; ++tries) {
    if (condition()) return true;
    usleep(10'000);
  }
  return false;
}

TEST_F(ApiTest, KeepsClientsWaitingWhenThereAreNoDescriptors) {
  start();
  const AcceptCounts& counts = api_->accept_counts();
  Client client = connect();
  ASSERT_EQ(client.ask(request("GET", "/healthz")).status, 200);
  const int made_before = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(made_before, 0);
  sockaddr_storage storage{};
  const socklen_t size = api_->listening().at(0).to(storage);
  {
    const NoDescriptors none;
    ASSERT_EQ(::connect(made_before, reinterpret_cast<const sockaddr*>(&storage), size), 0);
    ASSERT_TRUE(eventually([&] { return counts.starving.load() == 1; }));
    // Who is in is served, and whoever waits makes nothing spin: four tries a second.
    const std::uint64_t failed = counts.failed.load();
    ASSERT_TRUE(eventually([&] { return counts.failed.load() > failed + 1; }));
    EXPECT_LT(counts.failed.load(), failed + 20);
    EXPECT_EQ(client.ask(request("GET", "/healthz")).status, 200);
  }
  const std::string get = request("GET", "/healthz");
  ASSERT_EQ(::send(made_before, get.data(), get.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(get.size()));
  char octets[512];
  EXPECT_GT(::recv(made_before, octets, sizeof octets, 0), 0) << "cut instead of kept waiting";
  EXPECT_EQ(counts.starving.load(), 0U);
  close(made_before);
}

TEST_F(ApiTest, AnIdleClientOfTheNetworkGivesWayToTheMachinesOwnOperator) {
  start();
  Client idle = connect();
  ASSERT_EQ(idle.ask(request("GET", "/healthz")).status, 200);
  const int operators = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(operators, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  config_.api.socket.path.copy(address.sun_path, sizeof address.sun_path - 1);
  const NoDescriptors none;
  ASSERT_EQ(::connect(operators, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const std::string get = request("GET", "/healthz");
  ASSERT_EQ(::send(operators, get.data(), get.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(get.size()));
  char octets[512];
  EXPECT_GT(::recv(operators, octets, sizeof octets, 0), 0);
  EXPECT_TRUE(idle.ends());
  close(operators);
}

}  // namespace
}  // namespace sluice::health::testing
