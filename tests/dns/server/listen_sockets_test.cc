#include "dns/server/listen_sockets.h"

#include <cstddef>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/dns/server/client.h"

namespace sluice::dns {
namespace {

using base::SocketAddress;
using test::loopback;
using test::make_socket;

SocketAddress at(const char* text) {
  return *SocketAddress::parse(text);
}

// A socket of another program at `address`; port 0: chosen.
base::FileDescriptor occupy(SocketAddress& address, int type, bool reuse_port) {
  base::FileDescriptor fd = make_socket(address, type);
  const int on = 1;
  if (reuse_port) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_storage storage{};
  socklen_t length = address.to(storage);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length), 0);
  if (type == SOCK_STREAM) {
    EXPECT_EQ(::listen(fd.get(), 1), 0);
  }
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length);
  address = *SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage));
  return fd;
}

int option(const base::FileDescriptor& fd, int level, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  ::getsockopt(fd.get(), level, name, &value, &length);
  return value;
}

TEST(OpenListenSockets, GivesEachWorkerItsOwnOnOnePort) {
  const auto sockets = open_listen_sockets({loopback()}, 3);
  ASSERT_TRUE(sockets);
  ASSERT_EQ(sockets->size(), 1U);
  const ListenSockets& only = sockets->front();
  EXPECT_NE(only.address.port, 0);
  ASSERT_EQ(only.udp.size(), 3U);
  ASSERT_EQ(only.tcp.size(), 3U);
  for (const auto* all : {&only.udp, &only.tcp}) {
    for (const base::FileDescriptor& fd : *all) {
      sockaddr_storage storage{};
      socklen_t length = sizeof storage;
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length);
      EXPECT_EQ(SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage)), only.address);
    }
  }
}

TEST(OpenListenSockets, AsksForTheBuffersAndLetsAnswersBeFragmented) {
  const auto sockets = open_listen_sockets({loopback()}, 1);
  ASSERT_TRUE(sockets);
  const base::FileDescriptor& udp = sockets->front().udp.front();
  EXPECT_GE(option(udp, SOL_SOCKET, SO_RCVBUF), 200'000) << "the default would be 212,992";
  EXPECT_EQ(option(udp, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_OMIT);
}

TEST(OpenListenSockets, RefusesASecondInstanceByName) {
  const auto first = open_listen_sockets({loopback()}, 2);
  ASSERT_TRUE(first);
  const SocketAddress address = first->front().address;
  const auto second = open_listen_sockets({address}, 2);
  ASSERT_FALSE(second);
  EXPECT_EQ(base::to_string(second.error()),
            "dns.listen: " + address.to_string() + ": address already in use by another sluiced");
}

TEST(OpenListenSockets, RefusesASecondInstanceOnTheWildcardOfThePort) {
  const auto first = open_listen_sockets({loopback()}, 1);
  ASSERT_TRUE(first);
  const std::uint16_t port = first->front().address.port;
  EXPECT_FALSE(open_listen_sockets({{base::IpAddress(), port}}, 1));
}

TEST(OpenListenSockets, FreesTheAddressWithTheSockets) {
  SocketAddress address;
  {
    const auto first = open_listen_sockets({loopback()}, 2);
    ASSERT_TRUE(first);
    address = first->front().address;
  }
  EXPECT_TRUE(open_listen_sockets({address}, 2));
}

TEST(OpenListenSockets, RefusesAnAddressOfAnotherProgram) {
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    for (const bool reuse_port : {false, true}) {
      SocketAddress address = loopback();
      const base::FileDescriptor other = occupy(address, type, reuse_port);
      const auto sockets = open_listen_sockets({address}, 2);
      ASSERT_FALSE(sockets) << "type " << type << ", SO_REUSEPORT " << reuse_port;
      EXPECT_EQ(sockets.error().path, "dns.listen");
      EXPECT_EQ(sockets.error().message,
                address.to_string() + ": address already in use by another program");
    }
  }
}

TEST(OpenListenSockets, IsNotLockedOutByAStrangerWhoTookTheName) {
  SocketAddress address;
  {
    const auto sockets = open_listen_sockets({loopback()}, 1);
    ASSERT_TRUE(sockets);
    address = sockets->front().address;
  }
  const std::string name = "sluice-dns:" + address.to_string();
  sockaddr_un storage{};
  storage.sun_family = AF_UNIX;
  name.copy(storage.sun_path + 1, name.size());
  const base::FileDescriptor stranger(::socket(AF_UNIX, SOCK_DGRAM, 0));
  ASSERT_EQ(::bind(stranger.get(), reinterpret_cast<const sockaddr*>(&storage),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())),
            0);
  EXPECT_TRUE(open_listen_sockets({address}, 1));
}

TEST(OpenListenSockets, DoesNotWaitForConnectionsOfTheLastRun) {
  SocketAddress address;
  {
    const auto first = open_listen_sockets({loopback()}, 1);
    ASSERT_TRUE(first);
    address = first->front().address;
    const test::TcpClient client(address);
    // The server closes first, and so its side lingers in TIME_WAIT.
    base::FileDescriptor accepted;
    while (!accepted.is_open()) {
      accepted = base::FileDescriptor(::accept(first->front().tcp.front().get(), nullptr, nullptr));
    }
  }
  EXPECT_TRUE(open_listen_sockets({address}, 1));
}

TEST(OpenListenSockets, KeepsTheFamiliesApart) {
  // A port that is free for :: may be some client's on IPv4: another one is drawn then.
  bool both = false;
  for (int tries = 0; tries < 50 && !both; ++tries) {
    const auto v6 = open_listen_sockets({at("::@0")}, 1);
    if (!v6) GTEST_SKIP() << "no IPv6 here";
    const std::uint16_t port = v6->front().address.port;
    both = open_listen_sockets({{base::IpAddress(), port}}, 1).has_value();
  }
  EXPECT_TRUE(both) << "0.0.0.0 is not part of ::";
}

TEST(OpenListenSockets, RefusesAddressesThatOverlap) {
  const auto twice = open_listen_sockets({at("127.0.0.1@5399"), at("127.0.0.1@5399")}, 1);
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().message, "127.0.0.1@5399: is listed twice");
  const auto within = open_listen_sockets({at("0.0.0.0@5399"), at("127.0.0.1@5399")}, 1);
  ASSERT_FALSE(within);
  EXPECT_EQ(within.error().message, "127.0.0.1@5399: overlaps 0.0.0.0@5399: list one of them");
}

TEST(OpenListenSockets, NamesAnAddressThatIsNotOurs) {
  const auto sockets = open_listen_sockets({at("203.0.113.77@0")}, 1);
  ASSERT_FALSE(sockets);
  EXPECT_EQ(base::to_string(sockets.error()),
            "dns.listen: 203.0.113.77@0: Cannot assign requested address");
}

// A socket that joined would get its part of the queries before anybody reads it.
TEST(OpenListenSockets, UsesWhatIsInheritedAndOpensNoneBeside) {
  auto first = open_listen_sockets({loopback(), loopback()}, 2);
  ASSERT_TRUE(first);
  const SocketAddress kept = first->front().address;
  const SocketAddress dropped = first->back().address;
  const int fd = first->front().udp.front().get();
  const auto second = open_listen_sockets({kept}, 3, *std::move(first));
  ASSERT_TRUE(second) << to_string(second.error());
  ASSERT_EQ(second->size(), 1U);
  EXPECT_EQ(second->front().address, kept);
  EXPECT_EQ(second->front().udp.front().get(), fd);
  EXPECT_EQ(second->front().udp.size(), 3U);
  EXPECT_EQ(second->front().tcp.size(), 3U);
  const auto inodes = [](const std::vector<base::FileDescriptor>& sockets) {
    std::set<ino_t> all;
    for (const base::FileDescriptor& socket : sockets) {
      struct stat found {};
      EXPECT_EQ(fstat(socket.get(), &found), 0);
      all.insert(found.st_ino);
    }
    return all.size();
  };
  EXPECT_EQ(inodes(second->front().udp), 2U);
  EXPECT_EQ(inodes(second->front().tcp), 2U);
  EXPECT_TRUE(second->front().name.is_open());
  EXPECT_TRUE(open_listen_sockets({dropped}, 1)) << "it was closed";
}

TEST(OpenListenSockets, AnyPortIsOneThatIsInherited) {
  auto first = open_listen_sockets({loopback(), loopback()}, 1);
  ASSERT_TRUE(first);
  const SocketAddress any = first->front().address;
  const SocketAddress named = first->back().address;
  // The one that is named by its port goes to who names it, whatever stands first.
  const auto second = open_listen_sockets({loopback(), named}, 1, *std::move(first));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->front().address, any);
  EXPECT_EQ(second->back().address, named);
}

}  // namespace
}  // namespace sluice::dns
