#include "tools/sluice-agent/sessions/counter.h"

#include <gtest/gtest.h>

#include "tests/tools/sluice-agent/sessions/samples.h"

namespace sluice::agent {
namespace {

using samples::at;
using std::chrono::seconds;

struct Told final : Counter {
  void read(base::MonoTime) override {}
  void is(std::uint64_t count, int second) { tell(count, at(second)); }
  void fails(int second) { tell(base::failure("gone"), at(second)); }
};

TEST(Counter, KnowsTheLastNumberOrWhyThereIsNone) {
  Told counter;
  EXPECT_FALSE(counter.count());
  EXPECT_EQ(counter.failure(), "");
  counter.is(3, 1);
  EXPECT_EQ(counter.count(), 3U);
  counter.fails(2);
  EXPECT_FALSE(counter.count()) << "an old number is not kept";
  EXPECT_EQ(counter.failure(), "gone");
  counter.is(0, 3);
  EXPECT_EQ(counter.count(), 0U);
  EXPECT_EQ(counter.failure(), "");
}

TEST(Counter, ARiseTellsThatASessionCame) {
  Told counter;
  counter.is(3, 1);
  EXPECT_FALSE(counter.newest()) << "what it counts at first may be old";
  counter.is(3, 2);
  counter.is(1, 3);
  EXPECT_FALSE(counter.newest()) << "an end is no beginning";
  counter.is(2, 4);
  EXPECT_EQ(counter.newest(), at(4));
  counter.is(0, 5);
  EXPECT_EQ(counter.newest(), at(4));
}

TEST(Counter, TheFirstNumberAfterNoneTellsNothing) {
  Told counter;
  counter.is(1, 1);
  counter.is(2, 2);
  counter.fails(3);
  counter.is(7, 4);
  EXPECT_EQ(counter.newest(), at(2)) << "when the other five came is not known";
  counter.is(8, 5);
  EXPECT_EQ(counter.newest(), at(5));
}

}  // namespace
}  // namespace sluice::agent
