#include "dns/zone/name_table.h"

#include <string>

#include <gtest/gtest.h>

namespace sluice::dns {
namespace {

Name host(int number) {
  return *Name::parse("fe" + std::to_string(number) + ".pool.example");
}

TEST(NameTable, FindsAllThatWereInsertedAndNothingElse) {
  NameTable table;
  EXPECT_EQ(table.find(host(0)), NameTable::kNone);
  for (int number = 0; number < 2'000; ++number) {
    const Name name = host(number);
    EXPECT_EQ(table.insert(SuffixHashes(name), 0, name), static_cast<std::uint32_t>(number));
  }
  for (int number = 0; number < 2'000; ++number) {
    EXPECT_EQ(table.find(host(number)), static_cast<std::uint32_t>(number));
    EXPECT_EQ(table.name(static_cast<std::uint32_t>(number)), host(number));
  }
  EXPECT_EQ(table.find(host(2'000)), NameTable::kNone);
  EXPECT_EQ(table.size(), 2'000U);
}

TEST(NameTable, HoldsSuffixes) {
  NameTable table;
  const Name name = host(1);
  const SuffixHashes hashes(name);
  table.insert(hashes, 1, name);
  EXPECT_EQ(table.find(name), NameTable::kNone);
  EXPECT_EQ(table.find(name.parent()), 0U);
  EXPECT_EQ(table.find(hashes, 1, name), 0U);
  table.insert(hashes, hashes.labels(), name);
  EXPECT_EQ(table.find(Name()), 1U) << "the root";
}

}  // namespace
}  // namespace sluice::dns
