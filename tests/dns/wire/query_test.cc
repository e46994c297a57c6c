#include "dns/wire/query.h"

#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dns/ldns.h"
#include "dns/wire/writer.h"

namespace sluice::dns {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets to_wire(const ldns_pkt* packet) {
  std::uint8_t* raw = nullptr;
  std::size_t size = 0;
  if (ldns_pkt2wire(&raw, packet, &size) != LDNS_STATUS_OK) return {};
  const LdnsOctets owner(raw);
  return {raw, raw + size};
}

Octets wire_query(const char* name, ldns_rr_type type, std::uint16_t payload = 0) {
  const LdnsPacket packet(
      ldns_pkt_query_new(ldns_dname_new_frm_str(name), type, LDNS_RR_CLASS_IN, LDNS_RD));
  ldns_pkt_set_id(packet.get(), 0x1234);
  if (payload > 0) ldns_pkt_set_edns_udp_size(packet.get(), payload);
  return to_wire(packet.get());
}

// Without options; `owner` in wire form.
Octets opt_record(const Octets& owner = {0}) {
  Octets record = owner;
  record.insert(record.end(), {0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, 0});
  return record;
}

Octets with_additional(Octets query, const std::vector<Octets>& records) {
  for (const Octets& record : records) query.insert(query.end(), record.begin(), record.end());
  store_u16(query.data() + 10, static_cast<std::uint16_t>(records.size()));
  return query;
}

TEST(ParseQuery, ReadsWhatLdnsWrites) {
  const auto query = parse_query(wire_query("www.EXAMPLE.org.", LDNS_RR_TYPE_SRV, 1232));
  ASSERT_TRUE(query);
  EXPECT_EQ(query->id, 0x1234);
  EXPECT_NE(query->flags & kFlagRD, 0);
  EXPECT_EQ(query->qname, *Name::parse("www.example.org"));
  EXPECT_EQ(query->qtype, RRType::SRV);
  EXPECT_EQ(query->qclass, RRClass::IN);
  EXPECT_EQ(query->question_octets, query->qname.size() + 4);
  ASSERT_TRUE(query->edns);
  EXPECT_EQ(query->edns->payload, 1232);
  EXPECT_FALSE(parse_query(wire_query("www.example.org.", LDNS_RR_TYPE_A))->edns);
}

TEST(ParseQuery, RejectsEveryTruncation) {
  for (const std::uint16_t payload : std::array<std::uint16_t, 2>{0, 1232}) {
    const Octets whole = wire_query("www.example.org.", LDNS_RR_TYPE_A, payload);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const auto query = parse_query(std::span(whole).first(size));
      ASSERT_FALSE(query) << "accepted " << size << " of " << whole.size() << " octets";
      EXPECT_EQ(query.error(), size < 12 ? QueryError::Ignore : QueryError::FormErr);
    }
  }
}

TEST(ParseQuery, RejectsOctetsBehindTheLastRecord) {
  Octets query = wire_query("www.example.org.", LDNS_RR_TYPE_A);
  query.push_back(0);
  EXPECT_EQ(parse_query(query).error(), QueryError::FormErr);
}

TEST(ParseQuery, NeverAnswersAResponse) {
  Octets query = wire_query("www.example.org.", LDNS_RR_TYPE_A);
  query[2] |= 0x80;
  EXPECT_EQ(parse_query(query).error(), QueryError::Ignore);
  query[2] |= 0x78;  // of whatever opcode
  EXPECT_EQ(parse_query(query).error(), QueryError::Ignore);
}

TEST(ParseQuery, KnowsOpcodesThatAreNotForIt) {
  for (unsigned opcode = 1; opcode < 16; ++opcode) {
    Octets query = wire_query("www.example.org.", LDNS_RR_TYPE_A);
    query[2] = static_cast<std::uint8_t>(opcode << 3);
    const bool known = opcode == 4 || opcode == 5;  // NOTIFY, UPDATE
    EXPECT_EQ(parse_query(query).error(), known ? QueryError::Refused : QueryError::NotImp);
  }
}

TEST(ParseQuery, WantsExactlyOneQuestion) {  // RFC 9619 section 4
  Octets query = wire_query("www.example.org.", LDNS_RR_TYPE_A);
  for (const std::uint16_t count : std::array<std::uint16_t, 3>{0, 2, 0xFFFF}) {
    store_u16(query.data() + 4, count);
    EXPECT_EQ(parse_query(query).error(), QueryError::FormErr) << count;
  }
}

TEST(ParseQuery, RejectsRecordsInAnswerOrAuthority) {
  for (const std::size_t section : {6U, 8U}) {
    Octets query = wire_query("www.example.org.", LDNS_RR_TYPE_A);
    query[section + 1] = 1;
    EXPECT_EQ(parse_query(query).error(), QueryError::FormErr);
  }
}

TEST(ParseQuery, TakesTheSoaOfAnIxfr) {  // RFC 1995 section 3
  Octets query = wire_query("www.example.org.", LDNS_RR_TYPE_IXFR);
  query[9] = 1;  // NSCOUNT
  EXPECT_EQ(parse_query(query).error(), QueryError::FormErr) << "which is not there";
  // A pointer to the question, SOA, IN, TTL, RDLENGTH; the RDATA is not looked at.
  query.insert(query.end(), {0xC0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 1, 0});
  EXPECT_TRUE(parse_query(query));
  query.pop_back();
  EXPECT_EQ(parse_query(query).error(), QueryError::FormErr);
}

TEST(ParseQuery, BelievesNoCountOfAdditionalRecords) {
  Octets query = wire_query("www.example.org.", LDNS_RR_TYPE_A);
  store_u16(query.data() + 10, 0xFFFF);
  EXPECT_EQ(parse_query(query).error(), QueryError::FormErr);
}

TEST(ParseQuery, RejectsTwoOptRecordsAndOnesThatTheRootDoesNotOwn) {  // RFC 6891 section 6.1.1
  const Octets query = wire_query("www.example.org.", LDNS_RR_TYPE_A);
  EXPECT_TRUE(parse_query(with_additional(query, {opt_record()})));
  EXPECT_EQ(parse_query(with_additional(query, {opt_record(), opt_record()})).error(),
            QueryError::FormErr);
  EXPECT_EQ(parse_query(with_additional(query, {opt_record({1, 'a', 0})})).error(),
            QueryError::FormErr);
  EXPECT_EQ(parse_query(with_additional(query, {opt_record({0xC0, 0x0C})})).error(),
            QueryError::FormErr);
}

TEST(ParseQuery, WalksOverOtherAdditionalRecords) {
  const Octets query = wire_query("www.example.org.", LDNS_RR_TYPE_A);
  const Octets tsig = {1, 'k', 0, 0, 250, 0, 255, 0, 0, 0, 0, 0, 2, 7, 7};
  const Octets address = {0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, 1};
  const auto parsed = parse_query(with_additional(query, {address, opt_record(), tsig}));
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->edns);
  const Octets bad_owner = {0x80, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0};
  EXPECT_FALSE(parse_query(with_additional(query, {bad_owner})));
}

TEST(ParseQuery, TakesNamesAndTypesOfAnyOctets) {
  const auto query =
      parse_query(wire_query("\\000\\255\\.x.example.", static_cast<ldns_rr_type>(65'280)));
  ASSERT_TRUE(query);
  EXPECT_EQ(static_cast<unsigned>(query->qtype), 65'280U);
}

// An OPT record with a client cookie.
Octets cookie_record() {
  Octets record = opt_record();
  record.back() = 12;
  record.insert(record.end(), {0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8});
  return record;
}

Octets without_question(const Octets& additional) {
  Octets query(kHeaderOctets);
  return with_additional(query, {additional});
}

TEST(ParseQuery, NeedsNoQuestionToBeAskedForACookie) {  // RFC 7873 section 5.4
  const auto query = parse_query(without_question(cookie_record()));
  ASSERT_TRUE(query);
  EXPECT_EQ(query->question_octets, 0);
  EXPECT_TRUE(query->edns->options.has(EdnsOptions::kCookie));
  EXPECT_EQ(parse_query(without_question(opt_record())).error(), QueryError::FormErr);
  Octets longer = without_question(cookie_record());
  longer.push_back(0);
  EXPECT_EQ(parse_query(longer).error(), QueryError::FormErr);
  longer = without_question(cookie_record());
  longer[9] = 1;  // a record in authority
  EXPECT_EQ(parse_query(longer).error(), QueryError::FormErr);
}

TEST(ReadRefused, FindsQuestionAndOptWhateverTheOpcode) {
  const Octets query =
      with_additional(wire_query("www.example.org.", LDNS_RR_TYPE_SOA), {cookie_record()});
  const Query read = read_refused(query);
  EXPECT_EQ(read.id, 0x1234);
  EXPECT_EQ(read.question_octets, 21);
  ASSERT_TRUE(read.edns);
  EXPECT_TRUE(read.edns->options.has(EdnsOptions::kCookie));
  EXPECT_EQ(read.edns->options.cookie_at, query.size() - 8);
}

TEST(ReadRefused, WalksOverRecordsToFindOpt) {  // the form of an UPDATE, RFC 2136 section 2
  Octets update = wire_query("www.example.org.", LDNS_RR_TYPE_SOA);
  const Octets record = {0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, 1};
  for (int section = 0; section < 2; ++section) {
    update.insert(update.end(), record.begin(), record.end());
  }
  update[7] = update[9] = 1;
  EXPECT_TRUE(read_refused(with_additional(update, {opt_record()})).edns);
  update[7] = 2;
  EXPECT_FALSE(read_refused(with_additional(update, {opt_record()})).edns) << "a count that lies";
}

TEST(ReadRefused, StandsEveryTruncationAndCount) {
  const Octets whole =
      with_additional(wire_query("www.example.org.", LDNS_RR_TYPE_SOA), {cookie_record()});
  for (std::size_t size = kHeaderOctets; size <= whole.size(); ++size) {
    for (const std::size_t count : {4U, 6U, 8U, 10U}) {
      Octets cut(whole.begin(), whole.begin() + static_cast<long>(size));
      EXPECT_EQ(read_refused(cut).edns.has_value(), size == whole.size());
      EXPECT_EQ(read_refused(cut).question_octets, size >= 33 ? 21 : 0) << size;
      store_u16(cut.data() + count, 0xFFFF);
      EXPECT_FALSE(read_refused(cut).edns);
    }
  }
}

TEST(ReadRefused, BelievesNoOptThatIsMalformedOrThereTwice) {
  const Octets query = wire_query("www.example.org.", LDNS_RR_TYPE_A);
  EXPECT_FALSE(read_refused(with_additional(query, {opt_record(), opt_record()})).edns);
  Octets record = cookie_record();
  record[record.size() - 9] = 9;  // an option longer than the record
  EXPECT_FALSE(read_refused(with_additional(query, {record})).edns);
  EXPECT_EQ(read_refused(with_additional(query, {record})).question_octets, 21);
}

// The judge: what we take for a query, ldns reads too, with the same QTYPE.
TEST(ParseQuery, AcceptsOnlyWhatLdnsAccepts) {
  std::mt19937 random(7);
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    Octets query = wire_query("www.example.org.", LDNS_RR_TYPE_AAAA, round % 2 == 0 ? 1232 : 0);
    for (unsigned change = random() % 4; change > 0; --change) {
      query[2 + random() % (query.size() - 2)] = static_cast<std::uint8_t>(random());
    }
    if (random() % 8 == 0) query.resize(random() % query.size());
    const auto parsed = parse_query(query);
    if (!parsed) continue;
    ++accepted;
    ldns_pkt* raw = nullptr;
    const ldns_status status = ldns_wire2pkt(&raw, query.data(), query.size());
    const LdnsPacket packet(raw);
    if (load_u16(query.data() + 10) != 0 && !parsed->edns) continue;  // RDATA that we never read
    ASSERT_EQ(status, LDNS_STATUS_OK) << ldns_get_errorstr_by_id(status);
    const ldns_rr* question = ldns_rr_list_rr(ldns_pkt_question(packet.get()), 0);
    ASSERT_EQ(ldns_rr_get_type(question), static_cast<ldns_rr_type>(parsed->qtype));
  }
  EXPECT_GT(accepted, 2'000U) << "the mutations leave too little to judge";
}

}  // namespace
}  // namespace sluice::dns
