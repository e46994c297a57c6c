#include "gtest/gtest.h"
#include <sys/socket.h>

#include "config/base/file_descriptor.h"
#include "tools/sluicectl/lookup/lookups.h"

namespace sluice::ctl {
namespace {

using namespace std::chrono_literals;

// Takes datagrams and connections on loopback, and says nothing.
class Silent {
 public:
  explicit Silent(int kind) : socket_(::socket(AF_INET, kind, 0)) {
    sockaddr_storage storage{};
    socklen_t size = base::SocketAddress{*base::IpAddress::parse("127.0.0.1"), 0}.to(storage);
    auto* address = reinterpret_cast<sockaddr*>(&storage);
    EXPECT_EQ(bind(socket_.get(), address, size), 0);
    if (kind == SOCK_STREAM) {
      EXPECT_EQ(listen(socket_.get(), 16), 0);
    }
    size = sizeof storage;
    EXPECT_EQ(getsockname(socket_.get(), address, &size), 0);
    address_ = *base::SocketAddress::from(address);
  }
  const base::SocketAddress& address() const { return address_; }
  std::size_t datagrams() const {
    std::size_t count = 0;
    char octet = 0;
    while (recv(socket_.get(), &octet, 1, MSG_DONTWAIT) >= 0) ++count;
    return count;
  }

 private:
  base::FileDescriptor socket_;
  base::SocketAddress address_;
};

std::vector<Reply> asked(const std::vector<Lookup>& lookups, std::size_t at_once = 200) {
  const base::SystemClock clock;
  return look_up(lookups, clock,
                 {.try_limit = 20ms, .tries = 3, .tcp_limit = 50ms, .at_once = at_once});
}

TEST(LookUp, ASilentServerIsTriedAndGivenUp) {
  const Silent udp(SOCK_DGRAM);
  const Silent tcp(SOCK_STREAM);
  const auto replies = asked({{udp.address(), {"p.example"}, Transport::Udp},
                              {tcp.address(), {"p.example"}, Transport::Tcp}});
  ASSERT_EQ(replies.size(), 2U);
  EXPECT_EQ(replies[0].kind, Reply::Kind::NoAnswer);
  EXPECT_EQ(replies[1].kind, Reply::Kind::NoAnswer);
  EXPECT_EQ(udp.datagrams(), 3U);
}

TEST(LookUp, MoreThanMayBeAskedAtOnceAreAskedInTurn) {
  const Silent udp(SOCK_DGRAM);
  const std::vector<Lookup> lookups(7, {udp.address(), {"p.example"}, Transport::Udp});
  const auto replies = asked(lookups, 2);
  ASSERT_EQ(replies.size(), 7U);
  for (const Reply& each : replies) EXPECT_EQ(each.kind, Reply::Kind::NoAnswer);
  EXPECT_EQ(udp.datagrams(), 21U);
}

TEST(LookUp, AClosedPortIsToldAtOnce) {
  base::SocketAddress closed;
  {
    const Silent gone(SOCK_STREAM);
    closed = gone.address();
  }
  for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
    const auto replies = asked({{closed, {"p.example"}, transport}});
    EXPECT_EQ(replies[0].kind, Reply::Kind::Unreachable) << to_string(transport);
    EXPECT_EQ(replies[0].text, "Connection refused");
  }
}

TEST(LookUp, WhatIsNoNameIsNotAsked) {
  const auto replies = asked({{{}, {std::string(64, 'a')}, Transport::Udp}});
  EXPECT_EQ(replies[0].kind, Reply::Kind::NotAsked);
  EXPECT_NE(replies[0].text.find("is no DNS name"), std::string::npos) << replies[0].text;
  EXPECT_TRUE(asked({}).empty());
}

}  // namespace
}  // namespace sluice::ctl
