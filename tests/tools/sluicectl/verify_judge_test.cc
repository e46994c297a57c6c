#include "gtest/gtest.h"

#include "tools/sluicectl/verify/judge.h"

namespace sluice::ctl {
namespace {

using std::chrono::seconds;

const base::WallTime kJudgedAt{std::chrono::hours(480'000)};

// a and b are in, c has left and caches may name it for 12 s, d is out for longer than that; e does
// not run the service. Every cache has heard of it all.
Pool judged_pool() {
  const auto server = [](const std::string& label, const std::string& address) {
    Server made;
    made.name = label + ".p.example";
    made.addresses = {*base::IpAddress::parse(address)};
    Service service;
    service.name = "fe";
    service.status = "accepting";
    made.services = {service};
    return made;
  };
  Pool pool;
  pool.name = "p.example";
  pool.ttl = 30;
  pool.last_resort = {*base::IpAddress::parse("192.0.2.99")};
  pool.servers = {server("a", "192.0.2.1"), server("b", "192.0.2.2"), server("c", "192.0.2.3"),
                  server("d", "192.0.2.4"), server("e", "192.0.2.5")};
  pool.servers[1].addresses.push_back(*base::IpAddress::parse("192.0.2.22"));
  pool.servers[2].services[0].status = "draining";
  pool.servers[2].services[0].cache_horizon = kJudgedAt + seconds(12);
  pool.servers[3].services[0].status = "down";
  pool.servers[3].services[0].cache_horizon = kJudgedAt - seconds(1);
  pool.servers[4].services.clear();
  for (const char* owner : {"p.example", "_sip._tcp.p.example"}) {
    pool.answer_sets.push_back({.owner = owner,
                                .service = "fe",
                                .fallback = {},
                                .members = {"a.p.example", "b.p.example"},
                                .accepting = {},
                                .min_accepting = {},
                                .since = kJudgedAt - seconds(100),
                                .cache_horizon = kJudgedAt - seconds(68)});
  }
  return pool;
}

// The members came this moment.
Pool just_changed() {
  Pool changed = judged_pool();
  for (AnswerSet& set : changed.answer_sets) {
    set.since = kJudgedAt;
    set.cache_horizon = kJudgedAt + seconds(32);
  }
  return changed;
}

Reply reply(const std::vector<std::string>& addresses, bool authoritative, std::uint32_t ttl = 10) {
  Reply reply{.kind = Reply::Kind::Answered, .message = {}, .text = {}};
  reply.message.authoritative = authoritative;
  for (const std::string& address : addresses) {
    Record record;
    record.owner = "p.example";
    record.type = kTypeA;
    record.ttl = ttl;
    record.address = base::IpAddress::parse(address);
    reply.message.answer.push_back(record);
  }
  return reply;
}

const std::vector<std::string> kRight{"192.0.2.22", "192.0.2.1", "192.0.2.2"};
std::vector<std::string> right_and(const std::string& address) {
  std::vector<std::string> all = kRight;
  all.push_back(address);
  return all;
}

Judgement judged(const Pool& of, const Reply& said, Source source) {
  const auto expected = expectation(of, "p.example", kTypeA, kJudgedAt);
  EXPECT_TRUE(expected);
  return judge(*expected, said, source, kJudgedAt);
}
Judgement authoritative(const std::vector<std::string>& addresses, std::uint32_t ttl = 10) {
  return judged(judged_pool(), reply(addresses, true, ttl), Source::Responder);
}
Judgement cached(const std::vector<std::string>& addresses, std::uint32_t ttl = 10,
                 const Pool& of = judged_pool()) {
  return judged(of, reply(addresses, false, ttl), Source::Resolver);
}

TEST(Judge, TheMembersInAnyOrderAreRight) {
  EXPECT_EQ(authoritative(kRight).finding, Finding::Right);
  EXPECT_EQ(cached(kRight).finding, Finding::Right);
}

TEST(Judge, ACacheMayNameWhoLeftUntilItsHorizon) {
  const Judgement stale = cached(right_and("192.0.2.3"));
  EXPECT_EQ(stale.finding, Finding::Stale);
  EXPECT_EQ(stale.text, "still names c (draining)");
  EXPECT_EQ(stale.until, kJudgedAt + seconds(12));
}

TEST(Judge, ACacheMayNotNameWhoseHorizonIsPast) {
  const Judgement wrong = cached(right_and("192.0.2.4"));
  EXPECT_EQ(wrong.finding, Finding::Wrong);
  EXPECT_EQ(wrong.text, "names d (down), which no cache may have any more");
}

TEST(Judge, AResolverThatServesWhatIsExpiredIsWrongAndSaysWhy) {
  Reply said = reply(right_and("192.0.2.4"), false);
  said.message.explanations = {"Stale Answer (3)"};
  EXPECT_EQ(judged(judged_pool(), said, Source::Resolver).text,
            "names d (down), which no cache may have any more (it says: Stale Answer (3))");
}

TEST(Judge, TheGravestIsTold) {
  std::vector<std::string> both = right_and("192.0.2.4");
  both.emplace_back("192.0.2.3");
  const Judgement wrong = cached(both);
  EXPECT_EQ(wrong.finding, Finding::Wrong);
  EXPECT_EQ(wrong.text.find("still names"), std::string::npos) << wrong.text;
  EXPECT_FALSE(wrong.until);
}

TEST(Judge, TheAuthoritysWordOnAHorizonGoesBeforeOurClock) {
  Pool behind = judged_pool();
  Verdict& verdict = behind.servers[3].services[0].verdict;
  verdict.reasons.push_back({.code = "horizon", .text = {}, .until = {}});
  EXPECT_EQ(cached(right_and("192.0.2.4"), 0, behind).finding, Finding::Stale);
}

TEST(Judge, WhoIsJustLeavingHasNoHorizonYet) {
  Pool leaving = judged_pool();
  leaving.servers[2].services[0].cache_horizon.reset();
  const Judgement stale = cached(right_and("192.0.2.3"), 10, leaving);
  EXPECT_EQ(stale.finding, Finding::Stale);
  EXPECT_FALSE(stale.until);
}

TEST(Judge, ATtlBeyondTheHorizonIsWrong) {
  EXPECT_EQ(cached(right_and("192.0.2.3"), 13).finding, Finding::Stale) << "caches round up";
  const Judgement wrong = cached(right_and("192.0.2.3"), 20);
  EXPECT_EQ(wrong.finding, Finding::Wrong);
  EXPECT_NE(wrong.text.find("for 20 s, beyond its horizon in 12 s"), std::string::npos)
      << wrong.text;
}

TEST(Judge, ACacheThatKeepsAnswersLongerThanHorizonsAllowForIsWrong) {
  EXPECT_EQ(cached(kRight, 32).finding, Finding::Right);
  EXPECT_EQ(cached(kRight, 300).finding, Finding::Wrong);
}

TEST(Judge, AnAuthoritativeAnswerIsThatOfNow) {
  EXPECT_EQ(authoritative(right_and("192.0.2.3")).finding, Finding::Wrong) << "out";
  EXPECT_EQ(authoritative({"192.0.2.1"}).text, "lacks b");
  EXPECT_EQ(authoritative({"192.0.2.1", "192.0.2.2"}).text, "has only 1 of the 2 addresses of b");
  EXPECT_EQ(authoritative({}).finding, Finding::Wrong);
  EXPECT_EQ(authoritative(kRight, 31).text, "has a TTL of 31, above the pool's 30");
  EXPECT_EQ(authoritative(right_and("203.0.113.1")).text,
            "names 203.0.113.1, which is no server's of this pool");
  EXPECT_EQ(authoritative(right_and("192.0.2.5")).finding, Finding::Wrong) << "another service's";
  // A resolver that answers with authority is no cache.
  EXPECT_EQ(judged(judged_pool(), reply(right_and("192.0.2.3"), true), Source::Resolver).finding,
            Finding::Wrong);
}

TEST(Judge, ACacheMayLackWhoCameLately) {
  const Judgement stale = cached({"192.0.2.1"}, 10, just_changed());
  EXPECT_EQ(stale.finding, Finding::Stale);
  EXPECT_EQ(stale.until, kJudgedAt + seconds(32));
  EXPECT_EQ(cached({"192.0.2.1"}).finding, Finding::Wrong) << "they came long ago";
}

TEST(Judge, ThereIsNoneIsKeptByATimeOfItsOwn) {
  Pool changed = judged_pool();
  changed.answer_sets[0].since = kJudgedAt - seconds(50);
  changed.answer_sets[0].cache_horizon = kJudgedAt - seconds(18);
  auto expected = *expectation(changed, "p.example", kTypeA, kJudgedAt);
  EXPECT_EQ(judge(expected, reply({}, false), Source::Resolver, kJudgedAt).finding, Finding::Wrong);
  expected.negative = seconds(300);
  const Judgement stale = judge(expected, reply({}, false), Source::Resolver, kJudgedAt);
  EXPECT_EQ(stale.finding, Finding::Stale);
  EXPECT_EQ(stale.until, kJudgedAt + seconds(251));
}

TEST(Judge, AnAnswerOfSomeServersHasAnyThatAreIn) {
  Pool some = judged_pool();
  some.answer_size = 1;
  const auto one = [&](const std::vector<std::string>& addresses) {
    return judged(some, reply(addresses, true), Source::Responder).finding;
  };
  EXPECT_EQ(one({"192.0.2.1"}), Finding::Right);
  EXPECT_EQ(one({"192.0.2.2", "192.0.2.22"}), Finding::Right);
  EXPECT_EQ(one({"192.0.2.2"}), Finding::Wrong) << "half a server";
  EXPECT_EQ(one({}), Finding::Wrong);
  EXPECT_EQ(one({"192.0.2.3"}), Finding::Wrong) << "out";
  some.answer_size = 5;
  EXPECT_EQ(one({"192.0.2.1"}), Finding::Wrong) << "there is room for all";
  some.answer_size = 1;
  EXPECT_EQ(cached({"192.0.2.3"}, 10, some).finding, Finding::Stale)
      << "who left had the only place";
}

TEST(Judge, TheLastResortIsRightWhileItAnswers) {
  Pool last = just_changed();
  last.answer_sets[0].fallback = "addresses";
  last.answer_sets[0].members.clear();
  EXPECT_EQ(judged(last, reply({"192.0.2.99"}, true), Source::Responder).finding, Finding::Right);
  EXPECT_EQ(judged(last, reply({}, true), Source::Responder).finding, Finding::Wrong);
  EXPECT_EQ(authoritative(right_and("192.0.2.99")).finding, Finding::Wrong);
  EXPECT_EQ(cached({"192.0.2.99"}, 10, just_changed()).finding, Finding::Stale);
  EXPECT_EQ(cached({"192.0.2.99"}).finding, Finding::Wrong);
}

TEST(Judge, NoDataIsRightWhereNobodyHasAnAddressOfTheType) {
  const auto aaaa = expectation(judged_pool(), "p.example", kTypeAaaa, kJudgedAt);
  EXPECT_EQ(judge(*aaaa, reply({}, true), Source::Responder, kJudgedAt).finding, Finding::Right);
}

TEST(Judge, OfSrvRecordsTheTargetsCount) {
  const auto expected = expectation(judged_pool(), "_sip._tcp.p.example", kTypeSrv, kJudgedAt);
  ASSERT_TRUE(expected);
  Reply said = reply({}, true);
  for (const char* target : {"b.p.example", "a.p.example"}) {
    Record record;
    record.type = kTypeSrv;
    record.target = target;
    said.message.answer.push_back(record);
  }
  EXPECT_EQ(judge(*expected, said, Source::Responder, kJudgedAt).finding, Finding::Right);
  said.message.answer[0].target = "c.p.example";
  EXPECT_EQ(judge(*expected, said, Source::Responder, kJudgedAt).text,
            "names c (draining), which is out of the answers; lacks b");
}

// The SRV records of a and b, and what the additional section says of a name.
Reply srv_reply(const std::string& owner, const char* address, bool authoritative = true) {
  Reply said = reply({}, authoritative);
  for (const char* target : {"a.p.example", "b.p.example"}) {
    Record record;
    record.type = kTypeSrv;
    record.target = target;
    said.message.answer.push_back(record);
  }
  said.message.additional = reply({address}, true).message.answer;
  said.message.additional.front().owner = owner;
  return said;
}

Judgement srv_judged(const Pool& of, const Reply& said, Source source = Source::Responder) {
  return judge(*expectation(of, "_sip._tcp.p.example", kTypeSrv, kJudgedAt), said, source,
               kJudgedAt);
}

TEST(Judge, AnAdditionalAddressIsOneOfItsOwners) {
  EXPECT_EQ(srv_judged(judged_pool(), srv_reply("b.p.example", "192.0.2.22")).finding,
            Finding::Right);
  const Judgement wrong = srv_judged(judged_pool(), srv_reply("b.p.example", "192.0.2.66"));
  EXPECT_EQ(wrong.finding, Finding::Wrong);
  EXPECT_EQ(wrong.text, "gives b the address 192.0.2.66, which is none of its own");
  // Another server's is no better, and a cache is not excused.
  EXPECT_EQ(
      srv_judged(judged_pool(), srv_reply("b.p.example", "192.0.2.1", false), Source::Resolver)
          .finding,
      Finding::Wrong);
}

TEST(Judge, AnAdditionalSectionNamesNobodyWhoIsOut) {
  const Reply said = srv_reply("c.p.example", "192.0.2.3");
  EXPECT_EQ(srv_judged(judged_pool(), said).text,
            "names c (draining), which is out of the answers");
  Reply old = said;
  old.message.authoritative = false;
  EXPECT_EQ(srv_judged(judged_pool(), old, Source::Resolver).finding, Finding::Stale);
  // It is there as a name server.
  Record ns;
  ns.type = kTypeNs;
  ns.target = "c.p.example";
  old.message.authority = {ns};
  EXPECT_EQ(srv_judged(judged_pool(), old, Source::Resolver).finding, Finding::Right);
  old.message.additional.front().address = base::IpAddress::parse("192.0.2.66");
  EXPECT_EQ(srv_judged(judged_pool(), old, Source::Resolver).finding, Finding::Wrong)
      << "not its own";
  EXPECT_EQ(srv_judged(judged_pool(), srv_reply("ns.example", "198.51.100.1")).finding,
            Finding::Right);
}

TEST(Judge, AnAdditionalSectionHasNoHiddenHost) {
  Pool hidden = judged_pool();
  hidden.servers[0].host_hidden = true;
  hidden.servers[0].services[0].cache_horizon = kJudgedAt + seconds(12);
  EXPECT_EQ(srv_judged(hidden, srv_reply("a.p.example", "192.0.2.1")).text,
            "names a (host record hidden), which is out of the answers");
  const Judgement stale =
      srv_judged(hidden, srv_reply("a.p.example", "192.0.2.1", false), Source::Resolver);
  EXPECT_EQ(stale.text, "still names a (host record hidden)");
  EXPECT_EQ(stale.until, kJudgedAt + seconds(12));
}

Judgement host_judged(const Pool& of, const Reply& said, Source source = Source::Responder) {
  return judge(*host_expectation(of, "c.p.example", kTypeA, kJudgedAt), said, source, kJudgedAt);
}

TEST(Judge, AHostRecordStaysWhileItsServiceIsOut) {
  EXPECT_EQ(host_judged(judged_pool(), reply({"192.0.2.3"}, true)).finding, Finding::Right);
  EXPECT_EQ(host_judged(judged_pool(), reply({}, true)).text, "lacks c");
  EXPECT_EQ(host_judged(judged_pool(), reply({"192.0.2.1"}, true)).text,
            "gives c the address 192.0.2.1, which is none of its own; lacks c");
  EXPECT_EQ(host_judged(judged_pool(), reply({"192.0.2.3"}, true, 31)).finding, Finding::Wrong)
      << "TTL";
}

TEST(Judge, AHiddenHostRecordIsGone) {
  Pool hidden = judged_pool();
  hidden.servers[2].host_hidden = true;
  EXPECT_EQ(host_judged(hidden, reply({}, true)).finding, Finding::Right);
  EXPECT_EQ(host_judged(hidden, reply({"192.0.2.3"}, true)).finding, Finding::Wrong);
  const Judgement stale = host_judged(hidden, reply({"192.0.2.3"}, false), Source::Resolver);
  EXPECT_EQ(stale.finding, Finding::Stale);
  EXPECT_EQ(stale.until, kJudgedAt + seconds(12));
}

TEST(Judge, ACacheMayLackAHostRecordThatWasHidden) {
  Pool back = just_changed();
  // A service of it is out: nobody tells since when the record is back.
  EXPECT_EQ(host_judged(back, reply({}, false), Source::Resolver).finding, Finding::Stale);
  for (Service& service : back.servers[2].services) service.in_answers = true;
  EXPECT_EQ(host_judged(back, reply({}, false), Source::Resolver).until, kJudgedAt + seconds(32));
  for (AnswerSet& set : back.answer_sets) set.cache_horizon = kJudgedAt - seconds(1);
  EXPECT_EQ(host_judged(back, reply({}, false), Source::Resolver).finding, Finding::Wrong);
}

TEST(Judge, AHostRecordBelowAZoneCutIsForOthersToTell) {
  Reply referral = reply({}, false);
  Record ns;
  ns.type = kTypeNs;
  referral.message.authority = {ns};
  EXPECT_EQ(host_judged(judged_pool(), referral).finding, Finding::Right);
  EXPECT_NE(judged(judged_pool(), referral, Source::Responder).finding, Finding::Right);
}

TEST(Judge, TellsOtherFailuresApart) {
  const auto finding = [](Reply said, Source source = Source::Responder) {
    return judged(judged_pool(), said, source).finding;
  };
  Reply said = reply(kRight, false);
  EXPECT_EQ(finding(said), Finding::NotAuthoritative);
  said.message.truncated = true;
  EXPECT_EQ(finding(said, Source::Resolver), Finding::Truncated);
  said.message.rcode = kRefused;
  EXPECT_EQ(finding(said), Finding::Refused);
  said.message.rcode = kNXDomain;
  EXPECT_EQ(finding(said), Finding::Wrong);
  said.message.rcode = 2;
  EXPECT_EQ(finding(said, Source::Resolver), Finding::Failed);
  said.kind = Reply::Kind::NoAnswer;
  EXPECT_EQ(finding(said), Finding::NoAnswer);
  said.kind = Reply::Kind::Unreachable;
  EXPECT_EQ(finding(said), Finding::NoAnswer);
  said.kind = Reply::Kind::Malformed;
  EXPECT_EQ(finding(said), Finding::Malformed);
}

TEST(SettleTruncated, TcpHasTheLastWord) {
  const Judgement truncated{Finding::Truncated, "is truncated", {}};
  EXPECT_EQ(settle_truncated(truncated, {Finding::Right, {}, {}}).finding, Finding::Right);
  EXPECT_EQ(settle_truncated(truncated, {Finding::Stale, "s", {}}).finding, Finding::Stale);
  const Judgement lost = settle_truncated(truncated, {Finding::NoAnswer, {}, {}});
  EXPECT_EQ(lost.finding, Finding::Truncated);
  EXPECT_EQ(lost.text, "is truncated, and over TCP it is no-answer");
  EXPECT_EQ(settle_truncated({Finding::Wrong, {}, {}}, {Finding::Right, {}, {}}).finding,
            Finding::Wrong);
}

TEST(Better, IsTheLesserFault) {
  EXPECT_EQ(better({Finding::Wrong, {}, {}}, {Finding::Stale, {}, {}}).finding, Finding::Stale);
  EXPECT_EQ(better({Finding::Right, {}, {}}, {Finding::Stale, {}, {}}).finding, Finding::Right);
}

TEST(IsFault, StaleCachesAndChangesAreNone) {
  EXPECT_FALSE(is_fault(Finding::Right));
  EXPECT_FALSE(is_fault(Finding::Stale));
  EXPECT_FALSE(is_fault(Finding::Changing));
  EXPECT_TRUE(is_fault(Finding::Wrong));
  EXPECT_TRUE(is_fault(Finding::NoAnswer));
}

TEST(Expectations, AreEachRRsetOfThePool) {
  const auto all = expectations(judged_pool(), kJudgedAt);
  ASSERT_EQ(all.size(), 3U + 2 * 5);
  EXPECT_EQ(all[0].question, (Question{"p.example", kTypeA}));
  EXPECT_EQ(all[1].question, (Question{"p.example", kTypeAaaa}));
  EXPECT_EQ(all[2].question, (Question{"_sip._tcp.p.example", kTypeSrv}));
  EXPECT_EQ(all[3].question, (Question{"a.p.example", kTypeA}));
  EXPECT_EQ(all[12].question, (Question{"e.p.example", kTypeAaaa}));
  EXPECT_EQ(all[0].members(), 2U);
  EXPECT_EQ(all[1].members(), 0U);
  EXPECT_FALSE(expectation(judged_pool(), "p.example", kTypeSrv, kJudgedAt));
  EXPECT_FALSE(expectation(judged_pool(), "web.p.example", kTypeA, kJudgedAt));
}

}  // namespace
}  // namespace sluice::ctl
