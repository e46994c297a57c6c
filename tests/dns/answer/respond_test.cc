#include "dns/answer/respond.h"

#include <array>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/wire/writer.h"
#include "tests/dns/answer/asking.h"

namespace sluice::dns {
namespace {

using fixture::ask;
using fixture::Judged;
using fixture::kPool;
using fixture::now;
using fixture::Octets;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

const std::string kSoa =
    "pool01.contoso.example. 10 IN SOA ns1.pool01.contoso.example. "
    "hostmaster.pool01.contoso.example. 8 3600 600 86400 10";

constexpr QueryContext kTcp{.transport = Transport::Tcp};

class Respond : public testing::Test {
 protected:
  Judged asked(const std::string& name, const std::string& type = "A", std::uint16_t payload = 0) {
    return ask(now(serving_), {.name = name, .type = type, .payload = payload});
  }

  fixture::Serving serving_{fixture::pool_config()};
};

TEST_F(Respond, NamesTheMembersOfThePool) {
  const Judged a = asked(kPool);
  EXPECT_THAT(a.answer,
              UnorderedElementsAre(kPool + " 30 IN A 10.99.0.1", kPool + " 30 IN A 10.99.0.2",
                                   kPool + " 30 IN A 10.99.0.3"));
  EXPECT_TRUE(a.aa());
  EXPECT_FALSE(a.edns());
  EXPECT_THAT(a.authority, IsEmpty());
  EXPECT_THAT(asked(kPool, "AAAA").answer, Contains(kPool + " 30 IN AAAA fd99::2"));
  EXPECT_THAT(asked("attendant." + kPool).answer, SizeIs(3));
  EXPECT_THAT(asked(kPool, "TXT").answer, ElementsAre(HasSubstr("\"the pool\"")))
      << "static records live beside the answer set";
}

TEST_F(Respond, RepeatsIdAndQuestionAsTheyWereSent) {
  const Octets query = fixture::to_wire({.name = "PooL01.Contoso.EXAMPLE."});
  const Judged judged = ask(now(serving_), query);
  ASSERT_TRUE(judged.parsed);
  EXPECT_TRUE(std::equal(query.begin(), query.begin() + 2, judged.octets.begin()));
  EXPECT_TRUE(std::equal(query.begin() + 12, query.end(), judged.octets.begin() + 12));
  EXPECT_TRUE(ldns_pkt_rd(judged.packet.get())) << "RFC 1035 section 4.1.1: copied";
  EXPECT_FALSE(ldns_pkt_ra(judged.packet.get()));
}

TEST_F(Respond, CopiesCdAndClearsWhatItDoesNotKnow) {  // RFC 4035 section 3.1.6
  Octets query = fixture::to_wire({.name = kPool});
  query[2] |= 0x07;  // AA TC RD
  query[3] = 0xFF;   // RA Z AD CD RCODE
  const Judged judged = ask(now(serving_), query);
  EXPECT_EQ(judged.octets[2], 0x85);
  EXPECT_EQ(judged.octets[3], 0x10);
}

TEST_F(Respond, TellsWhichAnswerSetAnswered) {
  config::Config config = fixture::pool_config();
  for (config::Server& server : config.pools[0].servers) server.addresses.pop_back();
  fixture::Serving v4_only(config);
  Octets room(kMaxMessageOctets);
  const auto set_of = [&](const std::string& name, const std::string& type,
                          std::uint16_t payload = 0) {
    const Octets query = fixture::to_wire({.name = name, .type = type, .payload = payload});
    return respond(now(v4_only), kTcp, query, room).answer_set;
  };
  for (const std::uint16_t payload : {std::uint16_t{0}, std::uint16_t{1232}}) {
    EXPECT_EQ(set_of(kPool, "A", payload), fixture::kPoolSet);
    EXPECT_EQ(set_of(kPool, "AAAA", payload), fixture::kPoolSet) << "NODATA";
    EXPECT_EQ(set_of("attendant." + kPool, "A", payload), fixture::kFeatureSet);
    EXPECT_EQ(set_of("_sip._tcp." + kPool, "SRV", payload), fixture::kSrvSet);
    EXPECT_EQ(set_of("pool." + kPool, "A", payload), fixture::kPoolSet) << "by an alias";
    EXPECT_EQ(set_of("sips." + kPool, "SRV", payload), fixture::kSrvSet);
  }
  for (const auto& [name, type] :
       std::vector<std::pair<std::string, std::string>>{{kPool, "TXT"},
                                                        {kPool, "SOA"},
                                                        {kPool, "ANY"},
                                                        {"_sip._tcp." + kPool, "A"},
                                                        {"pool." + kPool, "CNAME"},
                                                        {"fe01." + kPool, "A"},
                                                        {"hosts." + kPool, "MX"},
                                                        {"nobody." + kPool, "A"},
                                                        {"example.net.", "A"}}) {
    EXPECT_EQ(set_of(name, type), Answered::kNoAnswerSet) << name << " " << type;
  }
}

TEST_F(Respond, ATruncatedAnswerIsTheAnswerSetsToo) {
  fixture::Serving many(fixture::pool_config(60));
  Octets room(1232);
  const Answered answered = respond(now(many), {}, fixture::to_wire({.name = kPool}), room);
  EXPECT_EQ(answered.answer_set, fixture::kPoolSet);
}

TEST_F(Respond, LeavesOutWhoIsNoMember) {
  serving_.set(fixture::kPoolSet, {0, 2});
  serving_.set(fixture::kSrvSet, {0, 2});
  serving_.publish({fixture::kPoolSet, fixture::kSrvSet});
  EXPECT_THAT(asked(kPool).answer,
              UnorderedElementsAre(HasSubstr("10.99.0.1"), HasSubstr("10.99.0.3")));
  const Judged srv = asked("_sip._tcp." + kPool, "SRV", 1232);
  EXPECT_THAT(srv.answer, Each(testing::Not(HasSubstr("fe02"))));
  EXPECT_THAT(srv.additional, Each(testing::Not(HasSubstr("fe02"))));
  EXPECT_THAT(asked("attendant." + kPool).answer, SizeIs(3)) << "another answer set";
  EXPECT_THAT(asked("fe02." + kPool).answer, SizeIs(1)) << "its host record stays";
}

TEST_F(Respond, SrvNamesWeightsPortsAndAddresses) {  // RFC 2782
  const Judged srv = asked("_sip._tcp." + kPool, "SRV", 1232);
  EXPECT_THAT(srv.answer, UnorderedElementsAre(
                              "_sip._tcp." + kPool + " 30 IN SRV 10 25600 5060 fe01." + kPool,
                              "_sip._tcp." + kPool + " 30 IN SRV 10 25600 5060 fe02." + kPool,
                              "_sip._tcp." + kPool + " 30 IN SRV 10 25600 5060 fe03." + kPool));
  EXPECT_THAT(srv.additional, SizeIs(6));
  EXPECT_THAT(srv.additional, Contains("fe02." + kPool + " 30 IN A 10.99.0.2"));
  EXPECT_THAT(srv.additional, Contains("fe02." + kPool + " 30 IN AAAA fd99::2"));
  EXPECT_THAT(asked("_sip._tcp." + kPool, "A").authority, ElementsAre(kSoa)) << "NODATA";
  EXPECT_THAT(asked("_tcp." + kPool, "A").authority, ElementsAre(kSoa)) << "empty non-terminal";
}

TEST_F(Respond, DropsAdditionalRecordsBeforeItTruncates) {  // RFC 2181 section 9
  fixture::Serving many(fixture::pool_config(8));
  const Judged srv = ask(now(many), {.name = "_sip._tcp." + kPool, .type = "SRV"});
  EXPECT_THAT(srv.answer, SizeIs(8));
  EXPECT_FALSE(srv.tc());
  EXPECT_LE(srv.size, 512U);
  EXPECT_LT(srv.additional.size(), 16U);
  EXPECT_THAT(
      ask(now(many), {.name = "_sip._tcp." + kPool, .type = "SRV", .payload = 1232}).additional,
      SizeIs(16));
}

TEST_F(Respond, TruncatesAtAnRRsetAndKeepsOpt) {  // RFC 2181 section 9, RFC 6891 section 7
  fixture::Serving many(fixture::pool_config(60));
  const Judged plain = ask(now(many), {.name = kPool});
  EXPECT_TRUE(plain.tc());
  EXPECT_THAT(plain.answer, IsEmpty());
  const Judged edns = ask(now(many), {.name = kPool, .type = "AAAA", .payload = 1232});
  EXPECT_TRUE(edns.tc());
  EXPECT_TRUE(edns.edns());
  EXPECT_THAT(edns.answer, IsEmpty());
  EXPECT_THAT(ask(now(many), {.name = kPool, .type = "AAAA", .payload = 1232}, kTcp).answer,
              SizeIs(60));
  const Judged chained = ask(now(many), {.name = "pool." + kPool});
  EXPECT_TRUE(chained.tc());
  EXPECT_THAT(chained.answer, ElementsAre(HasSubstr("CNAME"))) << "whole RRsets stay";
}

TEST_F(Respond, NeverExceedsTheSmallerOfBothPayloads) {
  fixture::Serving many(fixture::pool_config(60));
  const auto size = [&](std::uint16_t client, std::uint16_t ours) {
    const QueryContext context{.max_udp_payload = ours};
    return ask(now(many), {.name = kPool, .type = "A", .payload = client}, context);
  };
  EXPECT_EQ(size(4096, 4096).size, 12U + 28 + 60 * 16 + 11);
  EXPECT_EQ(size(1011, 4096).size, 1011U);
  EXPECT_TRUE(size(1010, 4096).tc());
  EXPECT_TRUE(size(4096, 1010).tc());
  EXPECT_EQ(ldns_pkt_edns_udp_size(size(4096, 1010).packet.get()), 1010) << "what we take";
  const Judged small = ask(now(serving_), {.name = kPool, .type = "A", .payload = 1});
  EXPECT_THAT(small.answer, SizeIs(3)) << "a payload below 512 means 512";
}

TEST_F(Respond, EachMemberIsFirstAsOftenAsTheOthers) {
  fixture::Serving four(fixture::pool_config(4));
  for (const std::uint32_t stride : {1U, 2U, 3U, 4U}) {  // also when A and AAAA take turns
    std::map<std::string, int> first;
    for (std::uint32_t round = 0; round < 400; ++round) {
      ++first[ask(now(four), {.name = kPool}, {.rotation = round * stride}).answer.front()];
    }
    ASSERT_THAT(first, SizeIs(4)) << "stride " << stride;
    for (const auto& [record, times] : first) EXPECT_NEAR(times, 100, 5) << record;
  }
}

TEST_F(Respond, KeepsTheOrderBehindTheFirst) {
  for (std::uint32_t rotation = 0; rotation < 9; ++rotation) {
    const Judged judged =
        ask(now(serving_), {.name = kPool, .type = "AAAA"}, {.rotation = rotation});
    ASSERT_THAT(judged.answer, SizeIs(3));
    const auto number = [&](std::size_t index) { return judged.answer[index].back() - '1'; };
    EXPECT_EQ(number(1), (number(0) + 1) % 3);
    EXPECT_EQ(number(2), (number(0) + 2) % 3);
  }
  config::Config fixed = fixture::pool_config();
  fixed.pools[0].order = config::Order::Fixed;
  fixture::Serving serving(fixed);
  for (std::uint32_t rotation = 0; rotation < 9; ++rotation) {
    EXPECT_THAT(ask(now(serving), {.name = kPool}, {.rotation = rotation}).answer.front(),
                HasSubstr("10.99.0.1"));
  }
}

TEST_F(Respond, AbsenceIsNodataOrNxdomainWithTheSoa) {  // RFC 2308 sections 2, 3 and 5
  const Judged nodata = asked("web." + kPool, "AAAA");
  EXPECT_EQ(nodata.rcode, Rcode::NoError);
  EXPECT_THAT(nodata.answer, IsEmpty());
  EXPECT_THAT(nodata.authority, ElementsAre(kSoa)) << "at TTL min(SOA TTL, MINIMUM)";
  EXPECT_TRUE(nodata.aa());
  const Judged nxdomain = asked("a.long.name.that.is.not." + kPool);
  EXPECT_EQ(nxdomain.rcode, Rcode::NXDomain);
  EXPECT_THAT(nxdomain.authority, ElementsAre(kSoa));
  EXPECT_TRUE(nxdomain.aa());
  EXPECT_THAT(asked("sub.deep." + kPool).authority, ElementsAre(kSoa));
  EXPECT_EQ(asked("sub.deep." + kPool).rcode, Rcode::NoError) << "an empty non-terminal";
}

TEST_F(Respond, EmptyAnswerSetsAreNodata) {  // semantics: NODATA of the asked type, never SERVFAIL
  serving_.set(fixture::kPoolSet, {}, health::Fallback::NoData);
  serving_.set(fixture::kSrvSet, {}, health::Fallback::NoData);
  serving_.publish({fixture::kPoolSet, fixture::kSrvSet});
  for (const char* type : {"A", "AAAA"}) {
    const Judged judged = asked(kPool, type);
    EXPECT_EQ(judged.rcode, Rcode::NoError);
    EXPECT_THAT(judged.answer, IsEmpty());
    EXPECT_THAT(judged.authority, ElementsAre(HasSubstr(" IN SOA ")));
  }
  EXPECT_THAT(asked("_sip._tcp." + kPool, "SRV").authority, ElementsAre(HasSubstr(" IN SOA ")));
}

TEST_F(Respond, NoMemberWithAnAddressOfTheTypeIsNodata) {
  config::Config config = fixture::pool_config();
  for (config::Server& server : config.pools[0].servers) server.addresses.resize(1);  // IPv4 alone
  fixture::Serving serving(config);
  EXPECT_THAT(ask(now(serving), {.name = kPool, .type = "AAAA"}).authority, SizeIs(1));
  EXPECT_THAT(ask(now(serving), {.name = "fe01." + kPool, .type = "AAAA"}).authority, SizeIs(1));
  EXPECT_THAT(ask(now(serving), {.name = kPool}).answer, SizeIs(3));
}

TEST_F(Respond, LastResortAddressesAnswerForAddressSetsAlone) {
  config::Config config = fixture::pool_config();
  config.pools[0].last_resort = {fixture::ip("192.0.2.9")};
  fixture::Serving serving(config);
  serving.set(fixture::kPoolSet, {}, health::Fallback::Addresses);
  serving.set(fixture::kSrvSet, {}, health::Fallback::Addresses);
  serving.publish({fixture::kPoolSet, fixture::kSrvSet});
  EXPECT_THAT(ask(now(serving), {.name = kPool}).answer, ElementsAre(kPool + " 30 IN A 192.0.2.9"));
  EXPECT_THAT(ask(now(serving), {.name = kPool, .type = "AAAA"}).answer, IsEmpty());
  EXPECT_THAT(ask(now(serving), {.name = "_sip._tcp." + kPool, .type = "SRV"}).answer, IsEmpty());
}

TEST_F(Respond, HidesHostRecordsEverywhere) {
  serving_.hide({1});
  serving_.publish({}, {1});
  const Judged host = asked("fe02." + kPool);
  EXPECT_THAT(host.answer, IsEmpty());
  EXPECT_THAT(host.authority, ElementsAre(HasSubstr(" IN SOA "))) << "NODATA: the name exists";
  EXPECT_THAT(asked("_sip._tcp." + kPool, "SRV", 1232).additional,
              Each(testing::Not(HasSubstr("fe02"))));
  serving_.hide({0});
  serving_.publish({}, {0, 1});
  EXPECT_THAT(asked("fe02." + kPool).answer, SizeIs(1));
  EXPECT_THAT(asked("hosts." + kPool, "MX", 1232).additional, Each(testing::Not(HasSubstr("fe01"))))
      << "static records' additional section too";
}

TEST_F(Respond, AnswersAtTheApex) {
  const Judged soa = asked(kPool, "SOA");
  EXPECT_THAT(soa.answer, ElementsAre(HasSubstr(kPool + " 300 IN SOA ns1." + kPool)));
  EXPECT_THAT(soa.answer, ElementsAre(HasSubstr(" 8 3600 600 86400 10")))
      << "configured serial 7, generation 1";
  const Judged ns = asked(kPool, "NS", 1232);
  EXPECT_THAT(ns.answer, UnorderedElementsAre(kPool + " 300 IN NS ns1." + kPool,
                                              kPool + " 300 IN NS ns2." + kPool));
  EXPECT_THAT(ns.additional, UnorderedElementsAre("ns1." + kPool + " 300 IN A 127.0.0.1",
                                                  "ns2." + kPool + " 300 IN A 127.0.0.2",
                                                  "ns2." + kPool + " 300 IN AAAA ::2"));
  EXPECT_THAT(asked(kPool, "MX", 1232).additional, ElementsAre(HasSubstr("mail." + kPool)));
  EXPECT_THAT(asked("ptr." + kPool, "PTR").answer, ElementsAre(HasSubstr("PTR fe01." + kPool)));
}

TEST_F(Respond, FollowsCnamesWithinTheZone) {  // RFC 1034 section 4.3.2, step 3a
  EXPECT_THAT(asked("twice." + kPool).answer,
              ElementsAre("twice." + kPool + " 300 IN CNAME alias." + kPool,
                          "alias." + kPool + " 300 IN CNAME web." + kPool,
                          "web." + kPool + " 300 IN A 192.0.2.80"));
  EXPECT_THAT(asked("twice." + kPool, "CNAME").answer, SizeIs(1));
  EXPECT_THAT(asked("pool." + kPool, "MX", 1232).answer,
              ElementsAre(HasSubstr("CNAME"), kPool + " 300 IN MX 10 mail." + kPool))
      << "names in RDATA move with their owner";
  EXPECT_THAT(asked("pool." + kPool).answer, SizeIs(4)) << "answer sets too";
  const Judged soa = asked("pool." + kPool, "SOA");
  EXPECT_THAT(soa.answer,
              ElementsAre(HasSubstr("CNAME"),
                          HasSubstr(kPool + " 300 IN SOA ns1." + kPool + " hostmaster." + kPool)));
  const Judged srv = asked("sips." + kPool, "SRV", 1232);
  EXPECT_THAT(srv.answer, SizeIs(4));
  EXPECT_THAT(srv.additional, Contains("fe03." + kPool + " 30 IN A 10.99.0.3"));
}

TEST_F(Respond, TheEndOfTheChainDecides) {  // RFC 6604 section 3, RFC 2308 section 2
  const Judged gone = asked("gone." + kPool);
  EXPECT_EQ(gone.rcode, Rcode::NXDomain);
  EXPECT_THAT(gone.answer, SizeIs(1));
  EXPECT_THAT(gone.authority, ElementsAre(kSoa));
  const Judged empty = asked("empty." + kPool);
  EXPECT_EQ(empty.rcode, Rcode::NoError);
  EXPECT_THAT(empty.authority, ElementsAre(kSoa));
  const Judged out = asked("out." + kPool);
  EXPECT_EQ(out.rcode, Rcode::NoError);
  EXPECT_THAT(out.answer, ElementsAre(HasSubstr("CNAME www.example.net.")));
  EXPECT_THAT(out.authority, IsEmpty());
  const Judged loop = asked("loop1." + kPool);
  EXPECT_EQ(loop.rcode, Rcode::NoError);
  EXPECT_THAT(loop.answer, SizeIs(2)) << "each once";
  const Judged cut = asked("tocut." + kPool, "A", 1232);
  EXPECT_TRUE(cut.aa()) << "AA speaks of the first owner (RFC 1034 section 6.2.7)";
  EXPECT_THAT(cut.answer, SizeIs(1));
  EXPECT_THAT(cut.authority, Each(HasSubstr("child." + kPool + " 300 IN NS ")));
}

TEST_F(Respond, SynthesisesFromWildcards) {  // RFC 4592
  EXPECT_THAT(asked("x.Y.z.wild." + kPool).answer,
              ElementsAre("x.Y.z.wild." + kPool + " 300 IN A 192.0.2.90"));
  EXPECT_THAT(asked("x.y.z.wild." + kPool, "MX", 1232).answer,
              ElementsAre("x.y.z.wild." + kPool + " 300 IN MX 10 mail." + kPool))
      << "names in RDATA are not the owner's";
  EXPECT_THAT(asked("x.wc." + kPool).answer, SizeIs(2));
  EXPECT_THAT(asked("x.wild." + kPool, "AAAA").authority, ElementsAre(kSoa));
  EXPECT_THAT(asked("y.wild." + kPool, "TXT").authority, ElementsAre(kSoa));
}

TEST_F(Respond, RefersBelowZoneCuts) {  // RFC 1034 section 4.3.2, step 3b; RFC 9471
  for (const char* name : {"child.", "www.child.", "below.child.", "a.b.c.child."}) {
    const Judged judged = asked(name + kPool, "TXT", 1232);
    EXPECT_EQ(judged.rcode, Rcode::NoError);
    EXPECT_FALSE(judged.aa()) << name;
    EXPECT_THAT(judged.answer, IsEmpty());
    EXPECT_THAT(judged.authority,
                UnorderedElementsAre("child." + kPool + " 300 IN NS ns.child." + kPool,
                                     "child." + kPool + " 300 IN NS ns1." + kPool));
    EXPECT_THAT(judged.additional, ElementsAre("ns.child." + kPool + " 300 IN A 192.0.2.99",
                                               "ns.child." + kPool + " 300 IN AAAA 2001:db8::99",
                                               "ns1." + kPool + " 300 IN A 127.0.0.1"));
  }
}

TEST_F(Respond, TruncatesAReferralWithoutItsGlue) {  // RFC 9471 section 3.1
  std::string records = fixture::kRecords;
  for (int number = 0; number < 40; ++number) {
    records += "ns.child 300 IN A 192.0.3." + std::to_string(number) + "\n";
  }
  fixture::Serving serving(fixture::pool_config(1, records));
  EXPECT_TRUE(ask(now(serving), {.name = "www.child." + kPool}).tc());
  EXPECT_FALSE(ask(now(serving), {.name = "www.child." + kPool, .payload = 1232}).tc());
}

TEST_F(Respond, AnswersAnyWithNextToNothing) {  // RFC 8482 section 4.2
  const Judged any = asked(kPool, "ANY");
  EXPECT_THAT(any.answer, ElementsAre(kPool + " 3600 IN HINFO \"RFC8482\" \"\""));
  EXPECT_THAT(asked("alias." + kPool, "ANY").answer, ElementsAre(HasSubstr("CNAME")));
  EXPECT_EQ(asked("nowhere." + kPool, "ANY").rcode, Rcode::NXDomain);
  EXPECT_THAT(asked("deep." + kPool, "ANY").authority, ElementsAre(kSoa));
}

TEST_F(Respond, RefusesWhatIsNotItsOwn) {
  for (const char* name : {"example.net.", "contoso.example.", "."}) {
    const Judged judged = asked(name, "A", 1232);
    EXPECT_EQ(judged.rcode, Rcode::Refused);
    EXPECT_EQ(ldns_pkt_get_rcode(judged.packet.get()), LDNS_RCODE_REFUSED);
    EXPECT_FALSE(judged.aa());
    EXPECT_TRUE(judged.edns());
  }
  for (const char* type : {"AXFR", "IXFR"}) EXPECT_EQ(asked(kPool, type).rcode, Rcode::Refused);
  for (const char* type : {"MAILA", "MAILB", "TKEY", "TYPE200"}) {
    EXPECT_EQ(asked(kPool, type).rcode, Rcode::NotImp) << type;
  }
  for (const char* type : {"OPT", "TSIG", "TYPE128"})
    EXPECT_EQ(asked(kPool, type).rcode, Rcode::FormErr);
  Octets query = fixture::to_wire({.name = kPool});
  for (const std::uint8_t qclass : std::array<std::uint8_t, 4>{3, 4, 254, 255}) {
    query.back() = qclass;
    EXPECT_EQ(ask(now(serving_), query).rcode, Rcode::Refused) << int{qclass};
  }
}

TEST_F(Respond, SaysBadversToLaterVersions) {  // RFC 6891 section 6.1.3
  Octets query = fixture::to_wire({.name = kPool, .type = "A", .payload = 1232});
  query[query.size() - 5] = 1;
  const Judged judged = ask(now(serving_), query);
  EXPECT_EQ(judged.rcode, Rcode::BadVers);
  ASSERT_TRUE(judged.parsed);
  EXPECT_TRUE(judged.edns());
  EXPECT_EQ(ldns_pkt_edns_extended_rcode(judged.packet.get()), 1);
  EXPECT_EQ(ldns_pkt_edns_version(judged.packet.get()), 0) << "the highest that we speak";
  EXPECT_THAT(judged.answer, IsEmpty());
}

TEST_F(Respond, EchoesDoAndSpeaksEdnsOnlyToWhoDoes) {  // RFC 3225 section 3, RFC 6891 section 7
  const Judged judged =
      ask(now(serving_), {.name = kPool, .type = "A", .payload = 1232, .dnssec_ok = true});
  EXPECT_TRUE(ldns_pkt_edns_do(judged.packet.get()));
  EXPECT_FALSE(ldns_pkt_edns_do(asked(kPool, "A", 1232).packet.get()));
  EXPECT_FALSE(asked(kPool).edns());
}

TEST_F(Respond, AnswersGarbageWithAHeaderOrNotAtAll) {
  const Octets query = fixture::to_wire({.name = kPool});
  for (std::size_t size = 0; size < query.size(); ++size) {
    const Judged judged = ask(now(serving_), std::span(query).first(size));
    if (size < 12) {
      EXPECT_EQ(judged.size, 0U);
    } else {
      EXPECT_EQ(judged.size, 12U);
      EXPECT_EQ(judged.rcode, Rcode::FormErr);
      EXPECT_TRUE(judged.parsed);
      EXPECT_EQ(ldns_pkt_id(judged.packet.get()), 0x4711);
    }
  }
  Octets notify = query;
  notify[2] = 4 << 3;
  EXPECT_EQ(ask(now(serving_), notify).rcode, Rcode::Refused);
  EXPECT_EQ(ask(now(serving_), notify).octets[2], 0x80 | (4 << 3)) << "the opcode is copied";
  notify[2] = 9 << 3;
  EXPECT_EQ(ask(now(serving_), notify).rcode, Rcode::NotImp);
}

TEST_F(Respond, FillsMessagesOf64KiBOverTcp) {
  fixture::Serving many(fixture::pool_config(900));
  const Judged srv = ask(now(many), {.name = "_sip._tcp." + kPool, .type = "SRV"}, kTcp);
  ASSERT_TRUE(srv.parsed);
  EXPECT_THAT(srv.answer, SizeIs(900));
  EXPECT_FALSE(srv.tc());
  // Targets beyond 16 KiB are out of a pointer's reach: their names are spelled out.
  EXPECT_GT(srv.additional.size(), 500U);
  EXPECT_THAT(srv.additional, Contains("fe400." + kPool + " 30 IN A 10.99.1.144"));
  EXPECT_LE(srv.size, kMaxMessageOctets);
}

}  // namespace
}  // namespace sluice::dns
