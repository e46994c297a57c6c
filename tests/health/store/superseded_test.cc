#include "health/store/superseded.h"

#include <string>

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

Change health(const std::string& server, Health health) {
  return PutHealth{server, "front-end", health};
}
Change audit(const std::string& text) {
  Event event;
  event.text = text;
  return AppendAudit{event};
}

std::string shown(const std::vector<Change>& changes) {
  std::string text;
  for (const Change& change : changes) {
    if (const auto* put = std::get_if<PutHealth>(&change)) {
      text += put->server + (put->health == Health::Up ? "+ " : "- ");
    } else if (const auto* entry = std::get_if<AppendAudit>(&change)) {
      text += entry->event.text + " ";
    } else {
      text += "other ";
    }
  }
  return text;
}

TEST(Superseded, KeepsTheNewestHealthOfEachServiceInOrder) {
  std::vector<Change> first{health("a", Health::Up), health("b", Health::Up)};
  std::vector<Change> second{health("a", Health::Down), PutPoolTtl{}};
  std::vector<Change> third{health("a", Health::Up), health("c", Health::Down)};
  EXPECT_EQ(drop_superseded({&first, &second, &third}, 10), 4U);
  EXPECT_EQ(shown(first), "b+ ");
  EXPECT_EQ(shown(second), "other ");
  EXPECT_EQ(shown(third), "a+ c- ");
}

TEST(Superseded, KeepsTheNewestEntriesOfTheAudit) {
  std::vector<Change> first{audit("1"), audit("2")};
  std::vector<Change> second{audit("3"), health("a", Health::Up), audit("4")};
  EXPECT_EQ(drop_superseded({&first, &second}, 3), 4U);
  EXPECT_EQ(shown(first), "2 ");
  EXPECT_EQ(shown(second), "3 a+ 4 ");
}

}  // namespace
}  // namespace sluice::health
