#include "health/etcd/notices.h"

#include <vector>

#include <gmock/gmock.h>

namespace sluice::etcd {
namespace {

using testing::ElementsAre;

TEST(Notices, SayEachKindOnceAMinute) {
  std::vector<std::string> said;
  Notices notices([&](std::string text) { said.push_back(std::move(text)); });
  const base::MonoTime now{std::chrono::hours(1)};
  notices.say(Notices::Kind::NoAnswer, now, "a");
  notices.say(Notices::Kind::NoAnswer, now + std::chrono::seconds(59), "too soon");
  notices.say(Notices::Kind::WatchLost, now + std::chrono::seconds(59), "b");
  notices.say(Notices::Kind::NoAnswer, now + std::chrono::seconds(60), "c");
  EXPECT_THAT(said, ElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace sluice::etcd
