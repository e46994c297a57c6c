#include "tools/sluicectl/render/pool_view.h"

#include "gtest/gtest.h"

namespace sluice::ctl {
namespace {

// What the authority writes, read as the program reads it.
Pool pool(const std::string& members = "") {
  const std::string octets = R"({"pool": "p.example", "service": "fe", "generation": 17,
    "min_accepting": 1, "dns_load_balancing": true, "mass_loss_guard": false,
    "answer_sets": [
      {"owner": "p.example", "service": "fe", "fallback": "none", "members": ["a.p.example"]},
      {"owner": "_sip._tcp.p.example", "service": "fe", "members": ["a.p.example"]}],
    "servers": [
      {"server": "a.p.example", "pool": "p.example", "lease": {"state": "current"}, "services": {
        "fe": {"status": "accepting", "health": "up", "startup": "automatic", "in_answers": true,
               "sessions": {"calls": 3}, "title": "Front End", "consolidates": ["x", "y"]}}},
      {"server": "b.p.example", "pool": "p.example", "lease": {"state": "never"}, "services": {
        "fe": {"status": "unknown", "startup": "manual", "in_answers": false}}}])" +
                             members + "}";
  const auto read = read_answer(*parse_document(octets), read_pool);
  EXPECT_TRUE(read) << read.error();
  return *read;
}

const base::WallTime kViewedAt{};

TEST(PoolView, HasALineForThePoolAndARowForEachServerAndService) {
  EXPECT_EQ(pool_view(pool(), kViewedAt, {}),
            "p.example  generation 17, 1 of 2 accepting (at least 1)\n"
            "SERVER       SERVICE  STATUS     SESSIONS  IN-ANSWERS   HOLDS  HORIZON  STARTUP\n"
            "a.p.example  fe       accepting  calls=3   @ _sip._tcp  -      -        automatic\n"
            "b.p.example  fe       unknown    unknown   -            -      -        manual\n");
}

TEST(PoolView, HasDomainsWhereThereAreAny) {
  Pool racks = pool();
  racks.servers[1].domain = "rack-a";
  EXPECT_EQ(
      pool_view(racks, kViewedAt, {}),
      "p.example  generation 17, 1 of 2 accepting (at least 1)\n"
      "SERVER       DOMAIN  SERVICE  STATUS     SESSIONS  IN-ANSWERS   HOLDS  HORIZON  STARTUP\n"
      "a.p.example  -       fe       accepting  calls=3   @ _sip._tcp  -      -        automatic\n"
      "b.p.example  rack-a  fe       unknown    unknown   -            -      -        manual\n");
}

TEST(PoolView, SaysWhatIsPlannedAndWhatIsOver) {
  Pool planned = pool();
  Schedule plan;
  plan.id = "7";
  plan.kind = "drain";
  plan.service = "fe";
  planned.servers[0].schedules = {plan};
  plan.kind = "expiry";
  planned.servers[1].schedules = {plan};
  Hold hold;
  hold.scope = "server";
  hold.origin = "operator";
  hold.expires = kViewedAt;
  hold.then = "alarm";
  hold.alarmed = true;
  Service second = planned.servers[1].services[0];
  second.name = "second";
  planned.servers[1].services.push_back(second);
  for (Service& service : planned.servers[1].services) service.holds = {hold};
  const std::string view = pool_view(planned, kViewedAt, {.colour = true});
  EXPECT_NE(view.find("  fe on a: no cache names it at "), std::string::npos) << view;
  EXPECT_NE(view.find(" (schedule 7)\n"), std::string::npos) << view;
  const auto alarm = view.find("\x1b[33mwarning:\x1b[0m the time of the hold on b is over since ");
  ASSERT_NE(alarm, std::string::npos) << view;
  EXPECT_EQ(view.find("the time of the hold", alarm + 40), std::string::npos) << "told once";
  EXPECT_NE(view.find("\x1b[33mserver [over since"), std::string::npos) << view;
  const std::string console = console_view(planned.servers[0], kViewedAt, {});
  EXPECT_NE(console.find("  fe on a.p.example: no cache names it at "), std::string::npos)
      << console;
}

TEST(PoolView, WhoIsForcedDownIsNotCountedAsAccepting) {
  Pool forced = pool();
  forced.servers[0].services[0].forced = "down";
  const std::string view = pool_view(forced, kViewedAt, {});
  EXPECT_NE(view.find("0 of 2 accepting"), std::string::npos) << view;
  EXPECT_NE(view.find("forced down (agent: up)"), std::string::npos) << view;
}

TEST(PoolView, TheStartupIsThatOfWhatDecides) {
  Pool held = pool();
  Hold hold;
  hold.scope = "server";
  hold.origin = "operator";
  hold.by = "operations";
  hold.reason = "patch";
  hold.startup = "manual";
  held.servers[0].services[0].holds = {hold};
  EXPECT_NE(pool_view(held, kViewedAt, {}).find("  manual (hold)\n"), std::string::npos);
  EXPECT_NE(console_view(held.servers[0], kViewedAt, {}).find("  manual (hold)  x, y"),
            std::string::npos);
  const std::string narrow = pool_view(held, kViewedAt, {.width = 80});
  EXPECT_NE(narrow.find("operations [manual]"), std::string::npos) << narrow;
}

TEST(PoolView, GoesByShortNamesWhereItIsNarrow) {
  const std::string view = pool_view(pool(), kViewedAt, {.width = 75});
  EXPECT_NE(view.find("\na       fe "), std::string::npos) << view;
}

TEST(PoolView, KeepsWhatCountsWhereItIsVeryNarrow) {
  Pool several = pool();
  several.servers[0].services[0].sessions = Counters{{"calls", 3}, {"registrations", 12}};
  several.servers[1].services[0].name = "a-service-with-a-long-name";
  EXPECT_EQ(pool_view(several, kViewedAt, {.width = 72}),
            "p.example  generation 17, 1 of 1 accepting (at least 1)\n"
            "SERVER  SERVICE    STATUS     SESSIONS        IN-ANSWERS  HOLDS  HORIZON\n"
            "a       fe         accepting  call=3 regi=12  @ _sip._t\u2026  -      -\n"
            "b       a-servic\u2026  unknown    unknown         -           -      -\n");
}

TEST(PoolView, SaysWhatIsNotAsItShouldBe) {
  Pool sad = pool(R"(, "warnings": ["call-park: no agent pushes it"])");
  sad.mass_loss_guard = true;
  sad.dns_load_balancing = false;
  sad.servers[0].warnings = {"released by a restart"};
  sad.servers[0].host_hidden = true;
  sad.servers[0].services[0].hook_state = "failed";
  sad.servers[0].services[0].hook_text = "exit 1";
  const std::string view = pool_view(sad, kViewedAt, {});
  for (const char* text :
       {"mass-loss guard active", "no DNS load balancing", "warning: call-park: no agent pushes it",
        "warning: a: released by a restart", "a: host record hidden",
        "fe on a: hook failed: exit 1"}) {
    EXPECT_NE(view.find(text), std::string::npos) << text << "\n" << view;
  }
}

TEST(ConsoleView, ListsServicesAsAServiceConsoleDoes) {
  EXPECT_EQ(console_view(pool().servers[0], kViewedAt, {}),
            "SERVICE  TITLE      STATE    STATUS     STARTUP    CONSOLIDATES\n"
            "fe       Front End  Running  accepting  automatic  x, y\n");
}

TEST(OrphansView, IsSilentWithoutOrphans) {
  EXPECT_EQ(orphans_view({}, kViewedAt), "");
  Orphan orphan;
  orphan.server = "old.example";
  orphan.service = "fe";
  orphan.hold.scope = "service";
  orphan.hold.origin = "operator";
  EXPECT_NE(orphans_view({orphan}, kViewedAt).find("fe on old.example: service\n"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::ctl
