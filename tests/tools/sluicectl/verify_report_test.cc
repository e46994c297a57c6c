#include "gtest/gtest.h"

#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/verify/report.h"

namespace sluice::ctl {
namespace {

PoolCheck check() {
  PoolCheck made;
  made.pool = "p.example";
  made.generation = 17;
  made.questions = 2;
  made.targets = {{*base::SocketAddress::parse("192.0.2.1@53"), Source::Responder, "responder ns1"},
                  {*base::SocketAddress::parse("192.0.2.2@53"), Source::Resolver, "resolver"}};
  for (std::size_t target : {0U, 1U}) {
    for (const char* name : {"p.example", "attendant.p.example"}) {
      for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
        made.answers.push_back({target, {name, kTypeA}, transport, {}});
      }
    }
  }
  return made;
}

TEST(CheckView, HasARowForEachServer) {
  EXPECT_EQ(check_view(check(), {}, {}),
            "p.example  generation 17, 2 answers over UDP and TCP\n"
            "SERVER        WHO            UDP      TCP\n"
            "192.0.2.1@53  responder ns1  2 right  2 right\n"
            "192.0.2.2@53  resolver       2 right  2 right\n");
  EXPECT_EQ(check().worst(), Finding::Right);
}

TEST(CheckView, SaysTheSameFaultOnce) {
  PoolCheck bad = check();
  for (std::size_t at : {4U, 5U, 6U, 7U}) {
    bad.answers[at].judgement = {Finding::NoAnswer, "no answer within 3 s", {}};
  }
  bad.answers[0].judgement = {Finding::Wrong, "lacks b", {}};
  bad.notes = {"NS ns9.example is not asked"};
  const std::string view = check_view(bad, {}, {});
  EXPECT_NE(view.find("  192.0.2.1@53: @ A over udp: lacks b\n"
                      "  192.0.2.2@53: every answer: no answer within 3 s\n"
                      "  NS ns9.example is not asked\n"),
            std::string::npos)
      << view;
  EXPECT_NE(view.find("1 wrong, 1 right"), std::string::npos) << view;
  EXPECT_EQ(bad.worst(), Finding::NoAnswer);
}

TEST(PortHint, IsForNameServersThatFailBesideAResponderElsewhere) {
  PoolCheck rehearsal = check();
  rehearsal.targets[0].address.port = 5353;
  rehearsal.targets[1].source = Source::NameServer;
  EXPECT_FALSE(port_hint(rehearsal));
  rehearsal.answers[4].judgement.finding = Finding::Refused;
  EXPECT_EQ(port_hint(rehearsal),
            "name servers are asked at port 53; your responder listens at 5353; --no-ns leaves "
            "them out");
  rehearsal.targets[1].source = Source::Resolver;
  EXPECT_FALSE(port_hint(rehearsal));
  rehearsal.targets[1].source = Source::NameServer;
  rehearsal.targets[0].address.port = 53;
  EXPECT_FALSE(port_hint(rehearsal));
}

TEST(CheckView, FitsItsSurface) {
  PoolCheck bad = check();
  bad.targets[1].who = std::string(60, 'w');
  bad.answers[4].judgement = {Finding::Stale, "still names one (draining), two (down) and three",
                              base::WallTime{} + std::chrono::seconds(12)};
  const std::string view = check_view(bad, {}, {.width = 56});
  std::size_t begin = 0;
  while (begin < view.size()) {
    const std::size_t end = view.find('\n', begin);
    EXPECT_LE(display_width(view.substr(begin, end - begin)), 56U) << view;
    begin = end + 1;
  }
  EXPECT_NE(view.find("and three; caches clear"), std::string::npos) << view;
}

TEST(CheckJson, HasEachAnswer) {
  PoolCheck bad = check();
  bad.answers[4].judgement = {Finding::Stale, "still names c", base::WallTime{}};
  const Json document = check_json(bad);
  EXPECT_EQ(document["result"], "stale");
  EXPECT_EQ(document["servers"][1]["kind"], "resolver");
  const Json& answer = document["servers"][1]["answers"][0];
  EXPECT_EQ(answer["result"], "stale");
  EXPECT_EQ(answer["transport"], "udp");
  EXPECT_EQ(answer["until"], "1970-01-01T00:00:00Z");
  EXPECT_FALSE(document["servers"][0]["answers"][0].contains("until"));
}

}  // namespace
}  // namespace sluice::ctl
