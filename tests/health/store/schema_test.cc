#include "health/store/schema.h"

#include "tests/health/store/store_fixture.h"

namespace sluice::health {
namespace {

using namespace testing;

// What a sluiced of version 1 wrote: frozen, as its files are.
constexpr const char* kVersion1 = R"sql(
PRAGMA journal_mode = WAL;
CREATE TABLE meta (
  name  TEXT NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE holds (
  server    TEXT NOT NULL CHECK (server <> ''),
  service   TEXT NOT NULL,              -- empty: the whole server
  origin    TEXT NOT NULL CHECK (origin IN ('operator', 'host', 'schedule')),
  placed_by TEXT NOT NULL,
  reason    TEXT NOT NULL,
  since     INTEGER NOT NULL,
  startup   TEXT CHECK (startup IN ('automatic', 'manual')),
  forced    INTEGER NOT NULL CHECK (forced IN (0, 1)),
  hide_host INTEGER NOT NULL CHECK (hide_host IN (0, 1)),
  expires   INTEGER,
  PRIMARY KEY (server, service, origin)
) STRICT, WITHOUT ROWID;
CREATE TABLE hold_services (            -- what a hold knows of each service that it covers
  server   TEXT NOT NULL,
  service  TEXT NOT NULL,
  origin   TEXT NOT NULL,
  covered  TEXT NOT NULL,
  instance TEXT,
  released INTEGER NOT NULL CHECK (released IN (0, 1)),
  horizon  INTEGER,
  PRIMARY KEY (server, service, origin, covered)
) STRICT, WITHOUT ROWID;
CREATE TABLE health (
  server  TEXT NOT NULL CHECK (server <> ''),
  service TEXT NOT NULL,
  health  TEXT NOT NULL CHECK (health IN ('up', 'down', 'stopped')),
  PRIMARY KEY (server, service)
) STRICT, WITHOUT ROWID;
CREATE TABLE forces (
  server  TEXT NOT NULL CHECK (server <> ''),
  service TEXT NOT NULL,
  health  TEXT NOT NULL CHECK (health IN ('up', 'down')),
  PRIMARY KEY (server, service)
) STRICT, WITHOUT ROWID;
CREATE TABLE serial_bases (
  zone TEXT NOT NULL PRIMARY KEY,
  base INTEGER NOT NULL CHECK (base BETWEEN 0 AND 4294967295)
) STRICT, WITHOUT ROWID;
PRAGMA application_id = 0x534c5549;
PRAGMA user_version = 1;
INSERT INTO meta VALUES ('generation', 7168);
INSERT INTO holds VALUES
  ('fe01.pool01', '', 'operator', 'operations', 'disks', 1795168830250, NULL, 0, 0, NULL),
  ('fe02.pool01', 'front-end', 'host', 'root', 'patch', 1795168830251, 'manual', 1, 1, NULL),
  ('fe03.pool01', '', 'operator', 'operations', '', 1795168830252, NULL, 0, 0, 1795168930000),
  ('fe04.pool01', '', 'schedule', 'operations', '', 1795168830253, NULL, 0, 0, 1795168930001);
INSERT INTO hold_services VALUES
  ('fe02.pool01', 'front-end', 'host', 'front-end', 'boot:1', 0, 1795168862000),
  ('fe02.pool01', 'front-end', 'host', 'call-park', NULL, 1, NULL);
INSERT INTO health VALUES ('fe01.pool01', 'front-end', 'up'), ('fe02.pool01', 'front-end', 'down');
INSERT INTO forces VALUES ('fe03.pool01', 'front-end', 'down');
INSERT INTO serial_bases VALUES ('contoso.example', 4294967295);
)sql";

class SchemaTest : public StoreTest {
 protected:
  void make_version_1() {
    fs::create_directory(state_directory());
    auto old = Database::open(database(), true);
    ASSERT_TRUE(old);
    const auto made = old->execute(kVersion1);
    ASSERT_TRUE(made) << made.error().text;
  }
};

TEST_F(SchemaTest, TakesEverythingOverFromVersion1) {
  make_version_1();
  const auto store = open();
  EXPECT_EQ(notices(), "");
  EXPECT_EQ(state().generation, 7'168U);
  EXPECT_EQ(state().serial_bases.at("contoso.example"), 4'294'967'295U);
  EXPECT_EQ(state().health.size(), 2U);

  ASSERT_EQ(state().holds.size(), 4U);
  const Hold& first = state().holds[0];
  EXPECT_EQ(first.reason, "disks");
  EXPECT_EQ(first.since, WallTime(Duration(1'795'168'830'250)));
  EXPECT_FALSE(first.startup);
  EXPECT_FALSE(first.expiry);
  const Hold& second = state().holds[1];
  EXPECT_EQ(second.key, (HoldKey{"fe02.pool01", "front-end", Origin::Host}));
  EXPECT_EQ(second.startup, config::Startup::Manual);
  EXPECT_TRUE(second.forced && second.hide_host);
  EXPECT_EQ(second.instances.at("front-end"), "boot:1");
  EXPECT_EQ(second.horizons.at("front-end").boot, 0U);
  EXPECT_EQ(second.horizons.at("front-end").wall, WallTime(Duration(1'795'168'862'000)));
  EXPECT_TRUE(second.released.contains("call-park"));

  ASSERT_EQ(state().forces.size(), 1U);
  EXPECT_EQ(state().forces[0].health, Health::Down);
  EXPECT_EQ(state().forces[0].by, "");
}

// Version 1 had no numbers for them, and none may be used twice.
TEST_F(SchemaTest, ExpiriesOfVersion1GetNumbers) {
  make_version_1();
  open().reset();
  ASSERT_EQ(state().holds.size(), 4U);
  const auto third = state().holds[2].expiry;
  const auto fourth = state().holds[3].expiry;
  ASSERT_TRUE(third && fourth);
  EXPECT_EQ(*third, (Expiry{1, WallTime(Duration(1'795'168'930'000)), Then::Lift, false}));
  EXPECT_EQ(fourth->id, 2U);
  EXPECT_EQ(state().schedule, 2U);
}

TEST_F(SchemaTest, WhatWasTakenOverIsLikeWhatIsNew) {
  make_version_1();
  {
    const auto store = open();
    ASSERT_TRUE(commit(*store, {PutHold{full_hold()}, PutSchedule{full_plan()},
                                EraseHold{{"fe01.pool01", "", Origin::Operator}}}));
  }
  open().reset();
  EXPECT_EQ(state().holds.size(), 4U);
  EXPECT_EQ(notices(), "");

  const auto definitions = [](const std::string& path) {
    auto shell = Database::open(path, false);
    return *shell->text(
        "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY name)");
  };
  const std::string taken_over = definitions(database());
  fs::remove_all(state_directory());
  open().reset();
  EXPECT_EQ(taken_over, definitions(database()));
}

TEST_F(SchemaTest, ADamagedFileOfVersion1IsRefusedUnchanged) {
  make_version_1();
  fs::resize_file(database(), fs::file_size(database()) - 4'096);
  const auto size = fs::file_size(database());
  EXPECT_NE(refusal(), "none");
  EXPECT_EQ(fs::file_size(database()), size);
}

}  // namespace
}  // namespace sluice::health
