#include "dns/answer/answer_writer.h"

#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "tests/dns/answer/asking.h"

namespace sluice::dns {
namespace {

Answered answered(std::size_t octets) {
  Answered made;
  made.size = static_cast<std::uint32_t>(octets);
  return made;
}

constexpr std::array<std::uint8_t, 2 * kARecord> kTwo = {0xC0, 12, 0, 1,  0, 1,    0,  0, 0, 30, 0,
                                                         4,    10, 0, 0,  1, 0xC0, 12, 0, 1, 0,  1,
                                                         0,    0,  0, 30, 0, 4,    10, 0, 0, 2};

RRset two_addresses() {
  RRset rrset;
  rrset.count = 2;
  rrset.octets = kTwo;
  return rrset;
}

class AnswerWriterTest : public testing::Test {
 protected:
  fixture::Octets query_octets_ = fixture::to_wire({.name = "a.example.", .payload = 512});
  Query query_ = *parse_query(query_octets_);
  fixture::Octets room_ = fixture::Octets(512);
};

TEST_F(AnswerWriterTest, AddsWholeRRsetsOrNothing) {
  AnswerWriter writer(query_, query_octets_, room_);
  const std::size_t room = 512 - writer.size() - kOptOctets;
  for (std::size_t added = 0; added < room / kTwo.size(); ++added) {
    ASSERT_TRUE(writer.add(Section::Answer, two_addresses(), kHeaderOctets));
  }
  const std::size_t size = writer.size();
  EXPECT_FALSE(writer.add(Section::Answer, two_addresses(), kHeaderOctets));
  EXPECT_FALSE(writer.add_rotated(Section::Answer, two_addresses(), 1, kHeaderOctets));
  EXPECT_EQ(writer.size(), size);
  const std::size_t whole = writer.finish(Rcode::NoError, 512);
  EXPECT_EQ(whole, size + kOptOctets);
  EXPECT_TRUE(fixture::judge(room_, answered(whole)).parsed);
}

TEST_F(AnswerWriterTest, MovesOwnersToWhereTheNameStands) {
  AnswerWriter writer(query_, query_octets_, room_);
  const std::size_t start = writer.size();
  ASSERT_TRUE(writer.add_rotated(Section::Answer, two_addresses(), 1, kHeaderOctets + 2));
  EXPECT_EQ(*writer.at(start + 1), kHeaderOctets + 2);
  EXPECT_EQ(*writer.at(start + kARecord + 1), kHeaderOctets + 2);
  const std::size_t size = writer.finish(Rcode::NoError, 512);  // before the room is copied
  const auto judged = fixture::judge(room_, answered(size));
  EXPECT_EQ(judged.answer,
            (std::vector<std::string>{"example. 30 IN A 10.0.0.2", "example. 30 IN A 10.0.0.1"}));
}

TEST_F(AnswerWriterTest, ShiftsTheOwnersOfRecordsThatWereRenderedApart) {
  AnswerWriter writer(query_, query_octets_, room_);
  // As if the message began two octets before "example" of the question.
  std::array<std::uint8_t, 2 * kARecord> records = kTwo;
  records[1] = records[kARecord + 1] = 2;
  ASSERT_TRUE(writer.add_shifted(Section::Additional, records, kHeaderOctets));
  const std::size_t size = writer.size();
  fixture::Octets large(512 - size);
  EXPECT_FALSE(writer.add_shifted(Section::Additional, large, 0));
  EXPECT_EQ(writer.size(), size) << "what does not fit is not written";
  const std::size_t whole = writer.finish(Rcode::NoError, 512);
  EXPECT_EQ(fixture::judge(room_, answered(whole)).additional,
            (std::vector<std::string>{"example. 30 IN A 10.0.0.1", "example. 30 IN A 10.0.0.2"}));
}

}  // namespace
}  // namespace sluice::dns
