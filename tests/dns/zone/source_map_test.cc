#include "dns/zone/source_map.h"

#include <gtest/gtest.h>

namespace sluice::dns {
namespace {

TEST(SourceMap, RemembersFileAndLineThroughIncludes) {
  SourceMap map;
  map.enter("outer", 5);
  const int before = map.place(5);
  const int include = map.place(7);
  map.enter("inner", 1);
  const int first = map.place(1);
  const int third = map.place(3);
  map.enter("outer", 7);
  const int after = map.place(8);
  EXPECT_EQ(map.where(before), (base::Location{"outer", 5}));
  EXPECT_EQ(map.where(include), (base::Location{"outer", 7}));
  EXPECT_EQ(map.where(first), (base::Location{"inner", 1}));
  EXPECT_EQ(map.where(third), (base::Location{"inner", 3}));
  EXPECT_EQ(map.where(after), (base::Location{"outer", 8}));
}

TEST(SourceMap, KnowsNothingOfPlacesThatItDidNotGive) {
  EXPECT_EQ(SourceMap().where(1), base::Location{});
}

}  // namespace
}  // namespace sluice::dns
