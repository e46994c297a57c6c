#include "tools/sluiced/handover.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice {
namespace {

using namespace std::chrono_literals;
using base::FileDescriptor;

constexpr auto kAtOnce = 0ms;

FileDescriptor some_file() {
  return FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

bool same_file(int one, int other) {
  struct stat first {};
  struct stat second {};
  return fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.st_ino == second.st_ino &&
         first.st_dev == second.st_dev;
}

class HandoverTest : public ::testing::Test {
 protected:
  HandoverTest() {
    auto ends = HandoverChannel::make();
    ours_.emplace(std::move(ends->first));
    theirs_.emplace(std::move(ends->second));
  }

  // Through the channel.
  std::vector<HandoverMessage> carry(const std::vector<handover::Letter>& letters) {
    std::vector<HandoverMessage> messages;
    for (const handover::Letter& letter : letters) {
      EXPECT_TRUE(ours_->send(letter.body, letter.descriptors, 10s));
      auto message = theirs_->receive(10s);
      EXPECT_TRUE(message);
      if (message) messages.push_back(*std::move(message));
    }
    return messages;
  }

  std::optional<HandoverChannel> ours_;
  std::optional<HandoverChannel> theirs_;
};

TEST_F(HandoverTest, SaysThatThereIsNothingAndThatTheOtherEndIsGone) {
  EXPECT_EQ(theirs_->receive(kAtOnce).error(), HandoverChannel::Silence::NotYet);
  ASSERT_TRUE(ours_->send(handover::word(handover::kSilent), {}, kAtOnce));
  ours_.reset();
  const auto last = theirs_->receive(kAtOnce);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->type(), handover::kSilent);
  EXPECT_EQ(theirs_->receive(kAtOnce).error(), HandoverChannel::Silence::Ended);
  EXPECT_FALSE(theirs_->send(handover::word(handover::kTaken), {}, kAtOnce));
}

TEST_F(HandoverTest, WhatIsNoMessageIsBroken) {
  const FileDescriptor file = some_file();
  ASSERT_EQ(::send(ours_->fd(), "\xff\x00", 2, 0), 2);
  EXPECT_EQ(theirs_->receive(kAtOnce).error(), HandoverChannel::Silence::Broken);
  ASSERT_TRUE(ours_->send("a text alone", {file.get()}, kAtOnce));
  const auto untyped = theirs_->receive(kAtOnce);
  ASSERT_TRUE(untyped);
  EXPECT_EQ(untyped->type(), "");
}

TEST_F(HandoverTest, WhatIsDeeperThanAnyMessageIsBroken) {
  const std::string lists(100'000, '\x81');  // a list of a list of a list
  ASSERT_EQ(::send(ours_->fd(), lists.data(), lists.size(), 0), static_cast<ssize_t>(lists.size()));
  EXPECT_EQ(theirs_->receive(kAtOnce).error(), HandoverChannel::Silence::Broken);
}

TEST_F(HandoverTest, TheSocketsArriveAtTheirPlaces) {
  Listening before;
  before.dns.resize(1);
  before.dns[0].address = *base::SocketAddress::parse("192.0.2.53@53");
  before.dns[0].name = some_file();
  // More than fit into one message.
  for (int i = 0; i < 300; ++i) before.dns[0].udp.push_back(some_file());
  before.dns[0].tcp.push_back(some_file());
  before.api.tcp.push_back({*base::SocketAddress::parse("::1@8053"), some_file()});
  before.api.unix_socket = health::UnixListener::inherited("/run/nowhere.sock", some_file());

  Listening after;
  const auto letters = handover::offer(before);
  EXPECT_EQ(letters.size(), 2U);
  for (HandoverMessage& message : carry(letters)) {
    ASSERT_TRUE(handover::read_offer(std::move(message), after));
  }
  ASSERT_EQ(after.dns.size(), 1U);
  EXPECT_EQ(after.dns[0].address, before.dns[0].address);
  EXPECT_TRUE(after.dns[0].name.is_open());
  EXPECT_EQ(after.dns[0].udp.size(), 300U);
  EXPECT_EQ(after.dns[0].tcp.size(), 1U);
  ASSERT_EQ(after.api.tcp.size(), 1U);
  EXPECT_EQ(after.api.tcp[0].address, before.api.tcp[0].address);
  ASSERT_TRUE(after.api.unix_socket);
  EXPECT_EQ(after.api.unix_socket->path(), "/run/nowhere.sock");
  for (const FileDescriptor& fd : after.dns[0].udp) {
    EXPECT_TRUE(same_file(fd.get(), before.dns[0].udp[0].get()));
    EXPECT_NE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST_F(HandoverTest, AnotherProtocolIsRefused) {
  auto letters = handover::offer({});
  ASSERT_EQ(letters.size(), 1U);
  letters[0].body["protocol"] = handover::kProtocol + 1;
  Listening after;
  auto messages = carry(letters);
  EXPECT_FALSE(handover::read_offer(std::move(messages[0]), after));
}

TEST_F(HandoverTest, ASessionArrivesAsItWas) {
  std::vector<dns::SuspendedSession> before(2);
  for (dns::SuspendedSession& session : before) session.fd = some_file();
  before[0].client.sin6_family = AF_INET6;
  before[0].client.sin6_port = 4711;
  before[0].waiting = {0, 40, 1, 2, 3};
  before[1].rest.assign(65'000, 7);
  before[1].message_octets = 65'535;
  std::vector<dns::SuspendedSession> after;
  for (HandoverMessage& message : carry(handover::sessions(before))) {
    std::ranges::move(handover::read_sessions(std::move(message)), std::back_inserter(after));
  }
  ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(after[0].client.sin6_port, 4711);
  EXPECT_EQ(after[0].waiting, before[0].waiting);
  EXPECT_TRUE(after[0].rest.empty());
  EXPECT_EQ(after[1].rest, before[1].rest);
  EXPECT_EQ(after[1].message_octets, 65'535U);
}

TEST_F(HandoverTest, LargeSessionsAreSeveralMessagesAndNoneIsOneThatSaysSo) {
  std::vector<dns::SuspendedSession> before(5);
  for (dns::SuspendedSession& session : before) {
    session.fd = some_file();
    session.waiting.assign(60'000, 1);
  }
  const auto letters = handover::sessions(before);
  EXPECT_GT(letters.size(), 2U);
  const auto messages = carry(letters);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    EXPECT_EQ(handover::has_more(messages[i]), i + 1 < messages.size());
  }
  const auto none = carry(handover::sessions({}));
  ASSERT_EQ(none.size(), 1U);
  EXPECT_FALSE(handover::has_more(none[0]));
}

TEST_F(HandoverTest, WhatNoSessionCanBeIsLeftOut) {
  std::vector<dns::SuspendedSession> before(1);
  before[0].fd = some_file();
  before[0].rest.assign(100, 7);
  before[0].message_octets = 5;  // less than its own rest
  auto messages = carry(handover::sessions(before));
  EXPECT_TRUE(handover::read_sessions(std::move(messages[0])).empty());
}

TEST_F(HandoverTest, SaysWhichProcessItIs) {
  EXPECT_EQ(handover::pid({handover::prepared(4711), {}}), 4711);
  EXPECT_FALSE(handover::pid({handover::word(handover::kPrepared), {}}));
}

// It is sent signals: all processes, a group and the first one must not be meant.
TEST_F(HandoverTest, NobodysNumberIsNoProcess) {
  for (const std::int64_t number : {-1L, 0L, 1L, 1L << 32, -4711L}) {
    EXPECT_FALSE(handover::pid({{{"type", handover::kPrepared}, {"pid", number}}, {}})) << number;
  }
  EXPECT_FALSE(handover::pid({{{"type", handover::kPrepared}, {"pid", "4711"}}, {}}));
}

TEST_F(HandoverTest, TheCookieSecretIsKept) {
  dns::SipKey secret{};
  secret.fill(9);
  const auto messages = carry({{handover::state(secret), {}}});
  EXPECT_EQ(handover::read_cookie_secret(messages.at(0).body), secret);
  EXPECT_EQ(handover::read_cookie_secret(handover::word(handover::kState)), std::nullopt);
}

}  // namespace
}  // namespace sluice
