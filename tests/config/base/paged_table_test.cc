#include "config/base/paged_table.h"

#include "gtest/gtest.h"

namespace sluice::base {
namespace {

using Table = PagedTable<int>;

std::shared_ptr<const int> value(int number) {
  return std::make_shared<const int>(number);
}

TEST(PagedTable, IsEmptyUntilSet) {
  const Table none;
  EXPECT_EQ(none.size(), 0U);
  Table table(3 * Table::kPage + 1);
  EXPECT_EQ(table.size(), 3 * Table::kPage + 1);
  for (std::size_t i = 0; i < table.size(); ++i) ASSERT_EQ(table.find(i), nullptr);
  EXPECT_EQ(table.share(0), nullptr);
}

TEST(PagedTable, HoldsEachValueAtItsPlace) {
  Table table(2 * Table::kPage + 1);
  for (std::size_t i = 0; i < table.size(); ++i) table.set(i, value(static_cast<int>(i)));
  for (std::size_t i = 0; i < table.size(); ++i) ASSERT_EQ(table[i], static_cast<int>(i));
}

TEST(PagedTable, DoesNotChangeItsCopies) {
  Table first(2 * Table::kPage);
  first.set(0, value(1));
  first.set(Table::kPage, value(2));
  Table second = first;
  second.set(0, value(10));
  second.set(1, value(11));
  EXPECT_EQ(first[0], 1);
  EXPECT_EQ(first.find(1), nullptr);
  EXPECT_EQ(second[0], 10);
  EXPECT_EQ(second[1], 11);
  first.set(Table::kPage, value(20));
  EXPECT_EQ(second[Table::kPage], 2);
}

TEST(PagedTable, SharesWhatDidNotChange) {
  Table first(2 * Table::kPage);
  first.set(1, value(1));
  first.set(Table::kPage, value(2));
  Table second = first;
  second.set(0, value(0));
  EXPECT_EQ(first.find(1), second.find(1)) << "a value of the copied page";
  EXPECT_EQ(first.find(Table::kPage), second.find(Table::kPage)) << "a page that was not copied";
  EXPECT_EQ(first.share(1).use_count(), 3) << "two pages and the one that was handed out";
}

TEST(PagedTable, ForgetsAValue) {
  Table table(1);
  const auto kept = value(5);
  table.set(0, kept);
  table.set(0, nullptr);
  EXPECT_EQ(table.find(0), nullptr);
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(PagedTable, KeepsOldCopiesThroughManyGenerations) {
  std::vector<Table> generations{Table(1000)};
  for (int i = 0; i < 200; ++i) {
    generations.push_back(generations.back());
    generations.back().set(static_cast<std::size_t>(i * 5), value(i));
  }
  for (int i = 0; i < 200; ++i) {
    const Table& before = generations[static_cast<std::size_t>(i)];
    const Table& after = generations[static_cast<std::size_t>(i) + 1];
    ASSERT_EQ(before.find(static_cast<std::size_t>(i * 5)), nullptr);
    ASSERT_EQ(after[static_cast<std::size_t>(i * 5)], i);
  }
}

}  // namespace
}  // namespace sluice::base
