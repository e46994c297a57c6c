#include "dns/server/udp_batch.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/udp.h>

namespace sluice::dns {
namespace {

// Queries as the kernel would have delivered them, each from a client of the test's choice.
class UdpBatchTest : public testing::Test {
 protected:
  UdpBatchTest() { begin(); }

  void begin(bool addresses = false) {
    batch_->to_receive(addresses);
    batch_->begin_letters();
    received_ = 0;
  }

  // An answer of `size` octets to a query from this port.
  void answer(std::uint16_t port, std::size_t size, bool together = true) {
    msghdr& from = batch_->received(received_++);
    sockaddr_in client{};
    client.sin_family = AF_INET;
    client.sin_port = port;
    std::memcpy(from.msg_name, &client, sizeof client);
    from.msg_namelen = sizeof client;
    std::memset(batch_->room(), static_cast<int>(received_), size);
    batch_->room()[2] = 0x80;
    batch_->add(from, {.size = static_cast<std::uint32_t>(size)}, together);
  }

  // Answers and octets of each letter.
  std::vector<std::pair<std::size_t, std::size_t>> letters() {
    batch_->end_letters(received_);
    std::vector<std::pair<std::size_t, std::size_t>> found;
    for (const mmsghdr& letter : batch_->letters()) {
      std::size_t octets = 0;
      for (std::size_t i = 0; i < letter.msg_hdr.msg_iovlen; ++i) {
        octets += letter.msg_hdr.msg_iov[i].iov_len;
      }
      EXPECT_EQ(batch_->answers_of(found.size()).size(), letter.msg_hdr.msg_iovlen);
      found.emplace_back(letter.msg_hdr.msg_iovlen, octets);
    }
    return found;
  }

  // The size of its segments that a letter tells the kernel; 0: it is one datagram.
  std::uint16_t segment_of(std::size_t letter) {
    msghdr& header = batch_->letters()[letter].msg_hdr;
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr;
         part = CMSG_NXTHDR(&header, part)) {
      if (part->cmsg_level != IPPROTO_UDP || part->cmsg_type != UDP_SEGMENT) continue;
      std::uint16_t segment = 0;
      std::memcpy(&segment, CMSG_DATA(part), sizeof segment);
      return segment;
    }
    return 0;
  }

  using Letters = std::vector<std::pair<std::size_t, std::size_t>>;
  std::unique_ptr<UdpBatch> batch_ = std::make_unique<UdpBatch>();
  unsigned received_ = 0;
};

TEST_F(UdpBatchTest, JoinsAnswersOfOneSizeToOneClient) {
  for (int i = 0; i < 3; ++i) answer(1, 100);
  EXPECT_EQ(letters(), (Letters{{3, 300}}));
  EXPECT_EQ(segment_of(0), 100);
}

TEST_F(UdpBatchTest, ALoneAnswerIsAnOrdinaryDatagram) {
  answer(1, 100);
  EXPECT_EQ(letters(), (Letters{{1, 100}}));
  EXPECT_EQ(segment_of(0), 0);
}

TEST_F(UdpBatchTest, KeepsClientsApart) {
  answer(1, 100);
  answer(2, 100);
  answer(1, 100);
  EXPECT_EQ(letters(), (Letters{{2, 200}, {1, 100}}));
}

TEST_F(UdpBatchTest, KeepsThePacketsApartThatWereAskedAtDifferentAddresses) {
  begin(true);
  for (const int asked : {1, 1, 2}) {
    msghdr& from = batch_->received(received_);
    std::memset(from.msg_control, asked, from.msg_controllen);
    answer(7, 50);
  }
  EXPECT_EQ(letters(), (Letters{{2, 100}, {1, 50}}));
  EXPECT_EQ(segment_of(1), 0);
}

TEST_F(UdpBatchTest, KeepsSizesApartWhateverTheirOrder) {
  for (const std::size_t size : {100U, 60U, 100U, 101U, 60U}) answer(1, size);
  EXPECT_EQ(letters(), (Letters{{2, 200}, {2, 120}, {1, 101}}));
  EXPECT_EQ(segment_of(1), 60);
}

// Places are few: letters that meet at one stay apart, whoever they are for.
TEST_F(UdpBatchTest, ManyClientsGetTheirOwn) {
  for (unsigned i = 0; i < UdpBatch::kMessages; ++i) {
    answer(static_cast<std::uint16_t>(1 + i % 32), 40 + i % 2);
  }
  std::size_t answers = 0;
  const Letters found = letters();
  for (std::size_t letter = 0; letter < found.size(); ++letter) {
    const msghdr& header = batch_->letters()[letter].msg_hdr;
    sockaddr_in client{};
    std::memcpy(&client, header.msg_name, sizeof client);
    for (std::size_t i = 0; i < header.msg_iovlen; ++i) {
      // The answer's octets tell its number, and so its client.
      const unsigned number = static_cast<const std::uint8_t*>(header.msg_iov[i].iov_base)[0] - 1U;
      EXPECT_EQ(client.sin_port, 1 + number % 32);
      ++answers;
    }
  }
  EXPECT_EQ(answers, UdpBatch::kMessages);
}

TEST_F(UdpBatchTest, AnswersThatSomePathMayNotTakeWholeTravelAlone) {
  answer(1, 1'233);
  answer(1, 1'233);
  EXPECT_EQ(letters(), (Letters{{1, 1'233}, {1, 1'233}}));
}

TEST_F(UdpBatchTest, ALetterStaysBelowTheLargestPacket) {
  for (unsigned i = 0; i < UdpBatch::kMessages; ++i) answer(1, 1'232);
  const Letters found = letters();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_LE(found[0].second, 65'000U);
  EXPECT_EQ(found[0].first + found[1].first, UdpBatch::kMessages);
}

TEST_F(UdpBatchTest, JoinsNothingWhenNotAskedTo) {
  answer(1, 100, false);
  answer(1, 100, false);
  EXPECT_EQ(letters(), (Letters{{1, 100}, {1, 100}}));
}

TEST_F(UdpBatchTest, EachAnswerOfALetterCanBeSentByItself) {
  for (int i = 0; i < 3; ++i) answer(1, 100);
  letters();
  for (std::size_t i = 0; i < 3; ++i) {
    const msghdr& single = batch_->single(0, i);
    EXPECT_EQ(single.msg_iovlen, 1U);
    EXPECT_EQ(single.msg_iov->iov_len, 100U);
    EXPECT_EQ(static_cast<const std::uint8_t*>(single.msg_iov->iov_base)[0], i + 1);
    EXPECT_EQ(single.msg_control, nullptr);
  }
}

TEST_F(UdpBatchTest, ATurnForgetsTheTurnBefore) {
  answer(1, 100);
  answer(1, 100);
  letters();
  begin();
  answer(1, 100);
  EXPECT_EQ(letters(), (Letters{{1, 100}}));
  EXPECT_EQ(segment_of(0), 0);
  EXPECT_EQ(batch_->received(0).msg_namelen, sizeof(sockaddr_in6));
}

}  // namespace
}  // namespace sluice::dns
