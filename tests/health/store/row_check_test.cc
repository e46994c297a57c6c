#include "health/store/row_check.h"

#include <set>

#include "tests/health/store/store_fixture.h"

namespace sluice::health {
namespace {

std::int64_t check(Database& database, const std::string& arguments) {
  const auto sum = database.integer("SELECT row_check(" + arguments + ")");
  EXPECT_TRUE(sum) << arguments;
  return *sum;
}

TEST(RowCheck, IsTheSameForTheSame) {
  auto database = Database::open(":memory:", true);
  ASSERT_TRUE(database);
  // Written down: what is on disk must fit the sluiced of tomorrow.
  EXPECT_EQ(check(*database, "'holds', 'fe01', '', 0, NULL"), 7'680'080'831'371);
}

TEST(RowCheck, TellsTypesPlacesAndBoundariesApart) {
  auto database = Database::open(":memory:", true);
  ASSERT_TRUE(database);
  const std::vector<std::string> rows{"'t', 'ab', 'c'", "'t', 'a', 'bc'",  "'t', 'c', 'ab'",
                                      "'u', 'ab', 'c'", "'t', 'abc'",      "'t', 'abc', ''",
                                      "'t', 'abc', 0",  "'t', 'abc', '0'", "'t', 'abc', NULL",
                                      "'t', 'abc', -1", "'t', 'abc', 256"};
  std::set<std::int64_t> checks;
  for (const std::string& row : rows) checks.insert(check(*database, row));
  EXPECT_EQ(checks.size(), rows.size());
}

TEST(RowCheck, NoticesEveryFlippedBitAndFits48) {
  auto database = Database::open(":memory:", true);
  ASSERT_TRUE(database);
  std::set<std::int64_t> checks;
  for (int bit = 0; bit < 63; ++bit) {
    checks.insert(check(*database, "'t', " + std::to_string(1LL << bit)));
  }
  EXPECT_EQ(checks.size(), 63U);
  EXPECT_GE(*checks.begin(), 0);
  EXPECT_LT(*checks.rbegin(), 1LL << 48);
}

TEST(RowCheck, CanNotBeUsedFromWithinAFile) {
  auto database = Database::open(":memory:", true);
  ASSERT_TRUE(database);
  EXPECT_FALSE(database->execute("CREATE VIEW v AS SELECT row_check(1); SELECT * FROM v"));
}

}  // namespace
}  // namespace sluice::health
