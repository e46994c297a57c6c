#include "dns/server/tcp_session.h"

#include <algorithm>
#include <memory>

#include <gtest/gtest.h>
#include <sys/ioctl.h>

#include "tests/dns/server/pool.h"

namespace sluice::dns {
namespace {

using test::Octets;
using Wants = TcpSession::Wants;

// A session at one end of a socket pair, the client at the other.
class TcpSessionTest : public testing::Test {
 protected:
  TcpSessionTest() { reconnect(); }

  // `room`: octets of the session's send buffer; 0: as usual.
  void reconnect(int room = 0) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    if (room > 0) ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    session_ = std::make_unique<TcpSession>(base::FileDescriptor(ends[0]), sockaddr_in6{});
    client_ = base::FileDescriptor(ends[1]);
    received_.clear();
  }

  void send(const Octets& octets) {
    ASSERT_EQ(::send(client_.get(), octets.data(), octets.size(), 0),
              static_cast<ssize_t>(octets.size()));
  }
  void send_queries(std::uint16_t first, std::uint16_t count) {
    Octets all;
    for (std::uint16_t id = first; id < first + count; ++id) {
      const Octets frame = test::framed(test::query(id));
      all.insert(all.end(), frame.begin(), frame.end());
    }
    send(all);
  }

  // Takes what the session sent so far, and returns the whole messages in it.
  std::vector<Octets> receive() {
    Octets chunk(1 << 20);
    for (;;) {
      const ssize_t size = ::recv(client_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
      if (size <= 0) break;
      received_.insert(received_.end(), chunk.begin(), chunk.begin() + size);
    }
    std::vector<Octets> messages;
    std::size_t at = 0;
    while (received_.size() - at >= 2) {
      const std::size_t length = static_cast<std::size_t>(received_[at] << 8 | received_[at + 1]);
      if (received_.size() - at - 2 < length) break;
      const auto begin = received_.begin() + static_cast<std::ptrdiff_t>(at) + 2;
      messages.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(length));
      at += 2 + length;
    }
    received_.erase(received_.begin(), received_.begin() + static_cast<std::ptrdiff_t>(at));
    return messages;
  }

  Wants readable() { return session_->on_readable(*scratch_, responder_); }
  Wants writable() { return session_->on_writable(*scratch_, responder_); }

  test::Pool pool_;
  Responder responder_{pool_.cell(), {}, [] {}};
  std::unique_ptr<TcpScratch> scratch_ = std::make_unique<TcpScratch>();
  std::unique_ptr<TcpSession> session_;
  base::FileDescriptor client_;
  Octets received_;  // of a message that is not whole yet
};

TEST_F(TcpSessionTest, AnswersAQuery) {
  send_queries(7, 1);
  EXPECT_EQ(readable(), Wants::Queries);
  const auto answers = receive();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(test::id_of(answers[0]), 7U);
  EXPECT_EQ(test::member_of(answers[0]), 1U);
}

TEST_F(TcpSessionTest, AnswersAllQueriesOfOneReadInTheirOrder) {
  send_queries(0, 100);
  EXPECT_EQ(readable(), Wants::Queries);
  const auto answers = receive();
  ASSERT_EQ(answers.size(), 100U);
  for (unsigned id = 0; id < 100; ++id) EXPECT_EQ(test::id_of(answers[id]), id);
  EXPECT_EQ(responder_.counters().read().by(Transport::Tcp, Rcode::NoError), 100U);
}

TEST_F(TcpSessionTest, PutsAQueryTogetherWhereverItWasCut) {
  const Octets frame = test::framed(test::query(1));
  for (std::size_t cut = 1; cut < frame.size(); ++cut) {
    send({frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(cut)});
    ASSERT_EQ(readable(), Wants::Queries);
    EXPECT_TRUE(session_->within_message());
    EXPECT_FALSE(session_->progressed()) << "part of a message is no progress";
    EXPECT_TRUE(receive().empty());
    send({frame.begin() + static_cast<std::ptrdiff_t>(cut), frame.end()});
    ASSERT_EQ(readable(), Wants::Queries);
    EXPECT_FALSE(session_->within_message());
    EXPECT_TRUE(session_->progressed());
    EXPECT_EQ(receive().size(), 1U) << "cut at " << cut;
  }
}

TEST_F(TcpSessionTest, AnswersTheWholeQueriesBeforeAHalfOne) {
  Octets octets = test::framed(test::query(1));
  const Octets second = test::framed(test::query(2));
  octets.insert(octets.end(), second.begin(), second.begin() + 5);
  send(octets);
  EXPECT_EQ(readable(), Wants::Queries);
  EXPECT_EQ(receive().size(), 1U);
  EXPECT_TRUE(session_->within_message());
}

TEST_F(TcpSessionTest, TakesTheLargestMessage) {
  Octets message = test::query(9);
  message.resize(kMaxMessageOctets, 0);  // trailing octets make it malformed
  const Octets frame = test::framed(message);
  for (std::size_t at = 0; at < frame.size(); at += 10'000) {
    const std::size_t end = std::min(frame.size(), at + 10'000);
    send({frame.begin() + static_cast<std::ptrdiff_t>(at),
          frame.begin() + static_cast<std::ptrdiff_t>(end)});
    ASSERT_EQ(readable(), Wants::Queries);
  }
  const auto answers = receive();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(test::rcode_of(answers[0]), 1U) << "FORMERR";
  EXPECT_FALSE(session_->within_message());
}

TEST_F(TcpSessionTest, StaysSilentOnScrapsAndGoesOn) {
  Octets octets{0, 0, 0, 0, 0, 1, 0xFF};  // two empty messages, one of an octet
  const Octets good = test::framed(test::query(3));
  octets.insert(octets.end(), good.begin(), good.end());
  octets.insert(octets.end(), {0, 0});
  send(octets);
  EXPECT_EQ(readable(), Wants::Queries);
  EXPECT_EQ(receive().size(), 1U);
  EXPECT_FALSE(session_->within_message());
  EXPECT_EQ(responder_.counters().read().silent, 4U);
}

TEST_F(TcpSessionTest, EndsWhenTheClientSendsNoMore) {
  send_queries(1, 3);
  ::shutdown(client_.get(), SHUT_WR);
  EXPECT_EQ(readable(), Wants::Queries);
  EXPECT_EQ(receive().size(), 3U);
  EXPECT_EQ(readable(), Wants::End);
}

TEST_F(TcpSessionTest, EndsWhenTheClientIsGone) {
  send_queries(1, 3);
  client_ = base::FileDescriptor();
  EXPECT_EQ(readable(), Wants::End) << "and no SIGPIPE";
}

TEST_F(TcpSessionTest, ReadsNothingMoreWhileTheClientDoesNotRead) {
  reconnect(4'096);
  send_queries(0, 400);
  ASSERT_EQ(readable(), Wants::Room);
  EXPECT_EQ(writable(), Wants::Room) << "still no room";
  EXPECT_FALSE(session_->progressed());
}

TEST_F(TcpSessionTest, GivesEachAnswerOnceToAClientThatReadsSlowly) {
  reconnect(4'096);
  send_queries(0, 400);
  Wants wants = readable();
  std::vector<Octets> answers = receive();
  while (wants == Wants::Room) {
    wants = writable();
    EXPECT_TRUE(session_->progressed());
    for (Octets& answer : receive()) answers.push_back(std::move(answer));
  }
  while (answers.size() < 400 && wants == Wants::Queries) {
    wants = readable();
    for (; wants == Wants::Room; wants = writable()) {
      for (Octets& answer : receive()) answers.push_back(std::move(answer));
    }
    for (Octets& answer : receive()) answers.push_back(std::move(answer));
  }
  ASSERT_EQ(answers.size(), 400U);
  for (unsigned id = 0; id < 400; ++id) EXPECT_EQ(test::id_of(answers[id]), id);
  EXPECT_EQ(responder_.counters().read().by(Transport::Tcp, Rcode::NoError), 400U)
      << "an answer that was rendered twice counts once";
  EXPECT_EQ(pool_.publisher().answer_set_queries().front().queries, 400U) << "everywhere";
}

// The promise: whatever was not with the kernel at the publication is answered anew. The sizes of
// the buffer make the kernel cut the answers at every octet, their lengths included.
TEST_F(TcpSessionTest, RendersAgainWhatTheKernelHadNotTakenWhenThePublicationChanged) {
  send_queries(0, 1);
  readable();
  const int frame = static_cast<int>(receive().front().size()) + 2;
  unsigned ended = 0;
  unsigned cut = 0;
  for (int room = 3'000; room < 3'000 + frame; ++room) {
    reconnect(room);
    pool_.show(1);
    send_queries(0, 300);
    ASSERT_EQ(readable(), Wants::Room);
    int with_kernel = 0;
    ASSERT_EQ(::ioctl(client_.get(), FIONREAD, &with_kernel), 0);
    ASSERT_GT(with_kernel, 0);
    pool_.show(2);

    std::vector<Octets> answers = receive();
    Wants wants = Wants::Room;
    while (wants == Wants::Room) {
      wants = writable();
      for (Octets& answer : receive()) answers.push_back(std::move(answer));
    }
    // Answers of which the kernel had an octet of the message, not of its length alone.
    const int begun = (with_kernel + frame - 1) / frame;
    const int into_last = with_kernel - (begun - 1) * frame;
    const bool length_only = into_last <= 2;
    const auto old = static_cast<std::size_t>(length_only ? begun - 1 : begun);
    ASSERT_EQ(wants, length_only ? Wants::End : Wants::Queries) << "room " << room;
    ASSERT_EQ(answers.size(), length_only ? old : 300U) << "room " << room;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      ASSERT_EQ(test::id_of(answers[i]), i);
      ASSERT_EQ(test::member_of(answers[i]), i < old ? 1U : 2U) << "answer " << i << " of " << room;
    }
    ended += length_only ? 1 : 0;
    cut += into_last < frame ? 1 : 0;
  }
  EXPECT_GT(cut, 0U);
  EXPECT_GT(ended, 0U) << "the case of the length alone was not met";
}

}  // namespace
}  // namespace sluice::dns
