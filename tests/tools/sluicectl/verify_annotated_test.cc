#include "gtest/gtest.h"

#include "tools/sluicectl/verify/annotated.h"

namespace sluice::ctl {
namespace {

Server server(const std::string& name, const char* address, const std::string& status) {
  Server made;
  made.name = name;
  made.addresses = {*base::IpAddress::parse(address)};
  Service service;
  service.name = "fe";
  service.status = status;
  service.sessions = Counters{{"calls", 3}};
  made.services = {service};
  return made;
}

Record record(const char* address) {
  return {.owner = "p.example",
          .type = kTypeA,
          .ttl = 30,
          .data = address,
          .address = base::IpAddress::parse(address),
          .target = {}};
}

Annotated answer() {
  Annotated made;
  made.lookup = {
      *base::SocketAddress::parse("192.0.2.53@53"), {"p.example", kTypeA}, Transport::Udp};
  made.message.authoritative = true;
  made.message.answer = {record("192.0.2.1"), record("203.0.113.9")};
  Pool pool;
  pool.name = "p.example";
  pool.servers = {server("a.p.example", "192.0.2.1", "accepting"),
                  server("b.p.example", "192.0.2.2", "draining")};
  made.beside.pool = pool;
  Explanation explanation;
  explanation.service = "fe";
  explanation.members = {{.server = "a.p.example",
                          .in = true,
                          .rule = "accepting",
                          .text = "up",
                          .since = {},
                          .by = {}},
                         {.server = "b.p.example",
                          .in = false,
                          .rule = "hold",
                          .text = "held: patch",
                          .since = {},
                          .by = "operations"}};
  made.beside.explanation = explanation;
  made.judgement = Judgement{Finding::Wrong, "names 203.0.113.9", {}};
  return made;
}

TEST(AnnotatedView, HasTheAuthoritysWordBesideEachRecordAndWhoIsMissing) {
  EXPECT_EQ(annotated_view(answer(), {}, {}),
            "p.example A  from 192.0.2.53@53 over udp\n"
            "NOERROR  flags aa; 2 answer, 0 authority, 0 additional; 0 ms\n"
            "TTL  TYPE  DATA         SERVER  STATUS     SESSIONS  IN   RULE\n"
            "30   A     192.0.2.1    a       accepting  calls=3   yes  accepting\n"
            "30   A     203.0.113.9  -       -          -         -    -\n"
            "NOT IN IT  STATUS    SESSIONS  RULE  SINCE  WHY\n"
            "b          draining  calls=3   hold  -      held: patch\n"
            "wrong: names 203.0.113.9\n");
}

TEST(AnnotatedView, ShowsWhatTheAuthorityDoesNotKnowAsDigDoes) {
  Annotated plain = answer();
  plain.beside = {};
  plain.judgement.reset();
  plain.message.answer = {record("203.0.113.9")};
  plain.message.answer[0].owner = "alias.example";
  plain.message.explanations = {"Stale Answer (3)"};
  EXPECT_EQ(annotated_view(plain, {}, {}),
            "p.example A  from 192.0.2.53@53 over udp\n"
            "NOERROR  flags aa; 1 answer, 0 authority, 0 additional; 0 ms\n"
            "extended error: Stale Answer (3)\n"
            "NAME           TTL  TYPE  DATA\n"
            "alias.example  30   A     203.0.113.9\n"
            "no answer set of the authority's: nothing to compare it with\n");
}

TEST(AnnotatedView, ShowsTheAdditionalSection) {
  Annotated srv = answer();
  srv.lookup.question.type = kTypeSrv;
  srv.message.additional = {record("192.0.2.1"), record("203.0.113.9")};
  srv.message.additional[0].owner = srv.message.additional[1].owner = "a.p.example";
  const std::string view = annotated_view(srv, {}, {});
  EXPECT_NE(view.find("additional section\n"
                      "NAME  TTL  TYPE  DATA         SERVER  STATUS     SESSIONS  IN   RULE\n"
                      "a     30   A     192.0.2.1    a       accepting  calls=3   yes  accepting\n"
                      "a     30   A     203.0.113.9  -       -          -         -    -\n"),
            std::string::npos)
      << view;
}

TEST(AnnotatedView, SaysWhyThereIsNone) {
  Annotated none = answer();
  none.message.answer.clear();
  none.message.rcode = kNXDomain;
  none.message.authority = {{.owner = "example",
                             .type = kTypeSoa,
                             .ttl = 10,
                             .data = "ns. host. 1",
                             .address = {},
                             .target = {}}};
  none.was_truncated = true;
  const std::string view = annotated_view(none, {}, {});
  EXPECT_NE(view.find("over tcp (udp was truncated)"), std::string::npos) << view;
  EXPECT_NE(view.find("NXDOMAIN  flags aa; 0 answer"), std::string::npos) << view;
  EXPECT_NE(view.find("authority: example 10 SOA ns. host. 1\n"), std::string::npos) << view;
}

TEST(AnnotatedJson, HasEachRecordAndWhoIsMissing) {
  const Json document = annotated_json(answer());
  EXPECT_EQ(document["answer"][0]["server"], "a.p.example");
  EXPECT_EQ(document["answer"][0]["sessions"]["calls"], 3);
  EXPECT_EQ(document["answer"][0]["rule"], "accepting");
  EXPECT_FALSE(document["answer"][1].contains("server"));
  ASSERT_EQ(document["missing"].size(), 1U);
  EXPECT_EQ(document["missing"][0]["rule"], "hold");
  EXPECT_EQ(document["result"], "wrong");
}

}  // namespace
}  // namespace sluice::ctl
