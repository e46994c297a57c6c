#include "health/etcd/line_splitter.h"

#include <vector>

#include <gmock/gmock.h>

namespace sluice::etcd {
namespace {

using testing::ElementsAre;

TEST(LineSplitter, FindsTheLinesHoweverTheyAreCut) {
  const std::string whole = "one\n\ntwo and more\nx\n";
  for (std::size_t first = 0; first <= whole.size(); ++first) {
    for (std::size_t second = first; second <= whole.size(); ++second) {
      LineSplitter splitter;
      std::vector<std::string> lines;
      for (const std::string& piece :
           {whole.substr(0, first), whole.substr(first, second - first), whole.substr(second)}) {
        splitter.add(piece);
        while (const auto line = splitter.next()) lines.push_back(*line);
      }
      ASSERT_THAT(lines, ElementsAre("one", "two and more", "x")) << first << ' ' << second;
      EXPECT_EQ(splitter.pending(), 0U);
    }
  }
}

TEST(LineSplitter, KeepsWhatHasNoEnd) {
  LineSplitter splitter;
  splitter.add("a\nbcd");
  EXPECT_EQ(splitter.next(), "a");
  EXPECT_EQ(splitter.next(), std::nullopt);
  EXPECT_EQ(splitter.pending(), 3U);
  splitter.clear();
  splitter.add("x\n");
  EXPECT_EQ(splitter.next(), "x");
}

}  // namespace
}  // namespace sluice::etcd
