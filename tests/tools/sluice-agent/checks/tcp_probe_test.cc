#include "tools/sluice-agent/checks/tcp_probe.h"

#include <memory>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/config/base/loop.h"

namespace sluice::agent {
namespace {

// A socket bound to a port of the kernel's choice.
struct Listener {
  explicit Listener(int backlog) : fd(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    bind(fd, reinterpret_cast<sockaddr*>(&address), length);
    if (backlog >= 0) listen(fd, backlog);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    where = *base::SocketAddress::from(reinterpret_cast<sockaddr*>(&address));
  }
  ~Listener() { close(fd); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int fd;
  base::SocketAddress where;
};

std::optional<std::string> probe(const base::SocketAddress& target, base::Duration limit) {
  base::TestLoop loop;
  std::optional<std::string> result;
  auto attempt = std::make_unique<TcpProbe>(loop.get(), target, limit,
                                            [&](const std::string& failure) { result = failure; });
  EXPECT_TRUE(loop.run_until([&] { return result.has_value(); }));
  attempt.reset();
  return result;
}

TEST(TcpProbe, PassesWhenTheConnectionIsAccepted) {
  const Listener listener(4);
  EXPECT_EQ(probe(listener.where, std::chrono::seconds(10)), "");
}

TEST(TcpProbe, FailsWhenNobodyListens) {
  const Listener bound(-1);
  EXPECT_EQ(probe(bound.where, std::chrono::seconds(10)), "connection refused");
}

TEST(TcpProbe, FailsWhenNothingAnswersInTime) {
  // A backlog that is full drops further SYNs: two fit in one of zero's queue at most.
  const Listener listener(0);
  std::vector<int> fillers;
  for (int i = 0; i < 4; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    sockaddr_storage storage{};
    const socklen_t length = listener.where.to(storage);
    connect(fd, reinterpret_cast<sockaddr*>(&storage), length);
    fillers.push_back(fd);
  }
  EXPECT_EQ(probe(listener.where, base::Duration(50)), "no connection in time");
  for (const int fd : fillers) close(fd);
}

TEST(TcpProbe, KnowsItsOwnEndWhileItConnects) {
  const Listener listener(4);
  base::TestLoop loop;
  bool done = false;
  const TcpProbe attempt(loop.get(), listener.where, std::chrono::seconds(10),
                         [&](const std::string&) { done = true; });
  ASSERT_TRUE(attempt.local());
  EXPECT_TRUE(attempt.local()->address.is_loopback());
  EXPECT_NE(attempt.local()->port, 0);
  EXPECT_TRUE(loop.run_until([&] { return done; }));
}

TEST(TcpProbe, SaysNothingOnceItIsGone) {
  const Listener listener(4);
  base::TestLoop loop;
  bool called = false;
  std::make_unique<TcpProbe>(loop.get(), listener.where, std::chrono::seconds(10),
                             [&](const std::string&) { called = true; })
      .reset();
  uv_run(loop.get(), UV_RUN_DEFAULT);
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace sluice::agent
