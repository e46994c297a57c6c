#include "gtest/gtest.h"

#include "tools/sluicectl/lookup/message.h"

namespace sluice::ctl {
namespace {

using Octets = std::vector<std::uint8_t>;

// An answer to the query, with these octets behind its question in place of the query's OPT.
Octets answer(Octets query, std::uint8_t flags, std::uint8_t rcode,
              const std::vector<Octets>& records, const std::vector<Octets>& additional = {}) {
  constexpr std::size_t kOpt = 11;
  query.resize(query.size() - kOpt);
  query[2] = flags;
  query[3] = rcode;
  query[7] = static_cast<std::uint8_t>(records.size());
  query[11] = static_cast<std::uint8_t>(additional.size());
  for (const Octets& record : records) query.insert(query.end(), record.begin(), record.end());
  for (const Octets& record : additional) query.insert(query.end(), record.begin(), record.end());
  return query;
}

const Question kQuestion{"P.example", kTypeA};
Octets query(std::uint16_t id = 0x1234) {
  const auto octets = encode_query(kQuestion, id);
  EXPECT_TRUE(octets);
  return *octets;
}
const Octets kA{0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 1};
const Octets kSrv{0xC0, 12, 0,  33,   0, 1,    0,    0, 0,   30,   0,
                  10,   0,  10, 0x64, 0, 0x13, 0xC4, 1, 'A', 0xC0, 12};

TEST(EncodeQuery, AsksWithEdnsAndTheRecursionThatIsWanted) {
  const Octets plain = query();
  EXPECT_EQ(plain[0], 0x12);
  EXPECT_EQ(plain[2], 0);
  EXPECT_EQ(plain[11], 1) << "OPT";
  EXPECT_EQ((*encode_query({"p.example", kTypeA, true}, 1))[2], 1) << "RD";
  EXPECT_FALSE(encode_query({std::string(64, 'a') + ".example", kTypeA}, 1));
}

TEST(Answers, TakesWhatAnswersThatQuestionAlone) {
  const Octets right = answer(query(), 0x84, 0, {kA});
  EXPECT_TRUE(answers(right, kQuestion, 0x1234));
  EXPECT_FALSE(answers(right, kQuestion, 0x1235)) << "another ID";
  EXPECT_FALSE(answers(right, {"q.example", kTypeA}, 0x1234)) << "another name";
  EXPECT_FALSE(answers(right, {"p.example", kTypeAaaa}, 0x1234)) << "another type";
  EXPECT_FALSE(answers(query(), kQuestion, 0x1234)) << "a query";
  EXPECT_FALSE(answers(Octets{0x12, 0x34, 0x84}, kQuestion, 0x1234)) << "too short";
}

TEST(DecodeMessage, ReadsHeaderAndRecords) {
  const auto read = decode_message(answer(query(), 0x87, 0x80, {kA, kSrv}));
  ASSERT_TRUE(read) << read.error();
  EXPECT_TRUE(read->authoritative);
  EXPECT_TRUE(read->truncated);
  EXPECT_TRUE(read->recursion_desired);
  EXPECT_TRUE(read->recursion_available);
  ASSERT_EQ(read->answer.size(), 2U);
  EXPECT_EQ(read->answer[0].owner, "p.example");
  EXPECT_EQ(read->answer[0].ttl, 30U);
  EXPECT_EQ(read->answer[0].data, "192.0.2.1");
  EXPECT_EQ(read->answer[0].address, base::IpAddress::v4({192, 0, 2, 1}));
  EXPECT_EQ(read->answer[1].target, "a.p.example");
}

TEST(DecodeMessage, KnowsExtendedErrorsAndRcodes) {
  const Octets opt{0, 0, 41, 4, 208, 1, 0, 0, 0, 0, 11, 0, 15, 0, 7, 0, 3, 's', 't', 'a', 'l', 'e'};
  const auto read = decode_message(answer(query(), 0x80, 7, {}, {opt}));
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(rcode_name(read->rcode), "BADCOOKIE");
  EXPECT_EQ(read->explanations, std::vector<std::string>{"Stale Answer (3): stale"});
  EXPECT_EQ(rcode_name(kRefused), "REFUSED");
}

TEST(DecodeMessage, RefusesEveryTruncation) {
  const Octets whole = answer(query(), 0x84, 0, {kA});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_message(std::span(whole).first(size))) << size;
  }
}

TEST(NegativeTtl, IsTheLesserOfSoaTtlAndMinimum) {
  Message message;
  EXPECT_FALSE(message.negative_ttl());
  message.answer.push_back({.owner = "p.example",
                            .type = kTypeSoa,
                            .ttl = 300,
                            .data = "ns. host. 1 3600 600 86400 10",
                            .address = {},
                            .target = {}});
  EXPECT_EQ(message.negative_ttl(), 10U);
  message.answer[0].ttl = 5;
  EXPECT_EQ(message.negative_ttl(), 5U);
}

TEST(ParseType, KnowsNamesAndNumbers) {
  EXPECT_EQ(parse_type("a"), kTypeA);
  EXPECT_EQ(parse_type("SRV"), kTypeSrv);
  EXPECT_EQ(parse_type("TYPE28"), kTypeAaaa);
  EXPECT_FALSE(parse_type("fe02"));
  EXPECT_FALSE(parse_type("OPT"));
  EXPECT_EQ(type_name(kTypeSrv), "SRV");
}

}  // namespace
}  // namespace sluice::ctl
