// Properties of respond() for octets of any kind.
#include <random>

#include <gtest/gtest.h>

#include "dns/wire/writer.h"
#include "tests/dns/answer/asking.h"

namespace sluice::dns {
namespace {

using fixture::ask;
using fixture::Judged;
using fixture::now;
using fixture::Octets;
using fixture::questions;

// What holds for every answer, whatever was asked.
void expect_sound(const Judged& judged, const Octets& query, const QueryContext& context) {
  if (query.size() < kHeaderOctets || (query[2] & 0x80) != 0) {
    ASSERT_EQ(judged.size, 0U) << "silence";
    return;
  }
  ASSERT_GE(judged.size, kHeaderOctets);
  ASSERT_TRUE(judged.parsed);
  ASSERT_EQ(load_u16(judged.octets.data()), load_u16(query.data())) << "the ID";
  ASSERT_NE(judged.octets[2] & 0x80, 0) << "QR";
  const std::size_t limit =
      context.transport == Transport::Tcp ? kMaxMessageOctets : context.max_udp_payload;
  ASSERT_LE(judged.size, limit);
  if (!judged.edns() && context.transport == Transport::Udp) {
    ASSERT_LE(judged.size, 512U);
  }
}

void expect_sound_answers(config::Order order, unsigned size) {
  std::mt19937 random(20261120);
  config::Config config = fixture::pool_config(20);
  config.pools[0].order = order;
  config.pools[0].answer_size = size;
  fixture::Serving serving(config);
  const ServingSnapshot& snapshot = now(serving);
  for (int round = 0; round < 30'000; ++round) {
    Octets query = fixture::to_wire(questions()[random() % questions().size()]);
    for (unsigned change = random() % 4; change > 0; --change) {
      query[random() % query.size()] = static_cast<std::uint8_t>(random());
    }
    if (random() % 16 == 0) query.resize(random() % query.size());
    const QueryContext context{
        .transport = random() % 4 == 0 ? Transport::Tcp : Transport::Udp,
        .max_udp_payload = static_cast<std::uint16_t>(512 + random() % 1'000),
        .rotation = static_cast<std::uint32_t>(random())};
    ASSERT_NO_FATAL_FAILURE(expect_sound(ask(snapshot, query, context), query, context))
        << "round " << round;
  }
}

TEST(RespondOctets, EveryAnswerIsSound) {
  expect_sound_answers(config::Order::Rotate, 0);
}

TEST(RespondOctets, EveryAnswerIsSoundWhereChanceDecides) {
  expect_sound_answers(config::Order::Random, 0);
  expect_sound_answers(config::Order::Weighted, 7);
}

TEST(RespondOctets, NoiseIsAnsweredSoundly) {
  std::mt19937 random(7);
  fixture::Serving serving(fixture::pool_config(3));
  const ServingSnapshot& snapshot = now(serving);
  for (int round = 0; round < 20'000; ++round) {
    Octets query(random() % 80);
    for (std::uint8_t& octet : query) octet = static_cast<std::uint8_t>(random());
    ASSERT_NO_FATAL_FAILURE(expect_sound(ask(snapshot, query), query, {}));
  }
}

// Cut at any size limit, an answer holds whole RRsets, and says so when one is missing.
TEST(RespondOctets, EverySizeLimitIsKept) {
  fixture::Serving serving(fixture::pool_config(24));
  const ServingSnapshot& snapshot = now(serving);
  for (const fixture::Question& question : questions()) {
    if (question.payload == 0) continue;
    fixture::Question wide = question;
    wide.payload = 4'096;
    const Judged whole = ask(snapshot, wide, {.max_udp_payload = 4'096});
    for (std::uint16_t limit = 512; limit < 1'600; limit = static_cast<std::uint16_t>(limit + 37)) {
      const Judged cut = ask(snapshot, wide, {.max_udp_payload = limit});
      ASSERT_TRUE(cut.parsed);
      ASSERT_LE(cut.size, limit);
      ASSERT_TRUE(cut.edns());
      if (cut.tc()) continue;
      ASSERT_EQ(cut.answer, whole.answer) << question.name << " " << question.type;
      ASSERT_EQ(cut.authority, whole.authority);
      ASSERT_LE(cut.additional.size(), whole.additional.size());
    }
  }
}

}  // namespace
}  // namespace sluice::dns
