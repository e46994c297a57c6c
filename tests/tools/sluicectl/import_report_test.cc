#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tools/sluicectl/import/report.h"

namespace sluice::ctl {
namespace {

Import example() {
  setenv("TZ", "UTC", 1);
  tzset();
  Import import;
  import.directory = "/var/lib/sluice";
  import.prefix = "/sluice";
  health::StoredState& state = import.contents.state;
  state.generation = 17;
  health::Hold hold;
  hold.key = {"fe01.example", "front-end", health::Origin::Operator};
  hold.by = "operations";
  hold.reason = "patch\x1b[2J";
  hold.since = base::WallTime(base::Duration(1'795'168'830'000));
  state.holds = {hold};
  state.forces = {{"fe01.example", "front-end", health::Health::Down, "anna", {}}};
  health::PlannedDrain plan;
  plan.id = 3;
  plan.server = "fe02.example";
  plan.at = base::WallTime(base::Duration(1'795'172'430'000));
  state.schedules = {plan};
  state.serial_bases = {{"contoso.example", 7}};
  import.contents.audit.resize(2);
  import.contents.audit_left_out = 5;
  return import;
}

TEST(ImportReport, HasALineForEachHold) {
  const Import import = example();
  const base::WallTime now(base::Duration(1'795'168'890'000));  // the same day
  EXPECT_EQ(words_of(import, now),
            "moved from /var/lib/sluice to etcd below /sluice: 1 hold, 1 forced health, "
            "1 planned drain, 1 serial base, 2 entries of the audit (5 older left out)\n"
            "  hold on front-end on fe01.example, operator operations, since 10:00:30: "
            "patch\xef\xbf\xbd[2J\n"
            "  forced down front-end on fe01.example, anna\n"
            "  planned drain 3 of fe02.example at 11:00:30\n");
}

TEST(ImportReport, SaysWhatWouldBe) {
  Import import = example();
  import.to_etcd = false;
  import.dry_run = true;
  import.contents = {};
  EXPECT_EQ(words_of(import, {}),
            "would move from etcd below /sluice to /var/lib/sluice: 0 holds, 0 forced healths, "
            "0 planned drains, 0 serial bases, 0 entries of the audit\n");
}

TEST(ImportReport, NamesTheCopyThatItWasTakenFrom) {
  Import import = example();
  import.contents = {};
  import.cluster = "00ff";
  import.copied = 17;
  EXPECT_TRUE(
      words_of(import, {})
          .starts_with(
              "moved from /var/lib/sluice (its copy of cluster 00ff as of revision 17) to etcd"));
  EXPECT_EQ(Json::parse(document_of(import))["copied"], 17);
}

TEST(ImportReport, SaysWhatToDoWithTheOthersWhereEtcdCountsAnew) {
  Import import = example();
  import.contents = {};
  import.copied = 345;
  import.counts_anew = 12;
  import.dry_run = true;
  EXPECT_NE(words_of(import, {})
                .find("its revision is 12, and a responder that knows a higher one "
                      "refuses it. /var/lib/sluice/cluster.db will be put away"),
            std::string::npos);
  import.dry_run = false;
  import.put_away = "/var/lib/sluice/cluster.db.before-20261120T100030Z";
  const std::string words = words_of(import, {});
  EXPECT_NE(words.find("cluster.db is /var/lib/sluice/cluster.db.before-20261120T100030Z now"),
            std::string::npos);
  EXPECT_EQ(words.find("another cluster"), std::string::npos);
  EXPECT_EQ(Json::parse(document_of(import))["counts_anew"], 12);
}

TEST(ImportReport, NamesWhatWasPutAway) {
  Import import = example();
  import.contents = {};
  import.put_away = "/var/lib/sluice/cluster.db.before-20261120T100030Z";
  EXPECT_NE(words_of(import, {}).find("cluster.db.before-20261120T100030Z now"), std::string::npos);
}

TEST(ImportReport, IsADocument) {
  Import import = example();
  import.cluster = "00112233445566778899aabbccddeeff";
  EXPECT_EQ(nlohmann::json::parse(document_of(import)), nlohmann::json::parse(R"({
    "to": "etcd", "dry_run": false, "directory": "/var/lib/sluice", "prefix": "/sluice",
    "cluster": "00112233445566778899aabbccddeeff", "generation": 17,
    "holds": [{"server": "fe01.example", "service": "front-end", "origin": "operator",
               "by": "operations", "reason": "patch\u001b[2J", "since": "2026-11-20T10:00:30Z"}],
    "forces": [{"server": "fe01.example", "service": "front-end", "health": "down", "by": "anna"}],
    "schedules": [{"id": "3", "server": "fe02.example", "at": "2026-11-20T11:00:30Z", "by": "",
                   "reason": ""}],
    "serial_bases": {"contoso.example": 7}, "audit": 2, "audit_left_out": 5})"));
}

}  // namespace
}  // namespace sluice::ctl
