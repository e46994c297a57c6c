#include "tools/sluiced/pulse.h"

#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace sluice {
namespace {

using Silent = std::vector<Pulse::Silent>;

TEST(Pulse, NamesWhoHasNotAnsweredTheLastQuestion) {
  Pulse pulse;
  std::vector<Pulse::Answer> to_store;
  pulse.watch("api", [](const Pulse::Answer& answer) { answer(); });
  pulse.watch("store", [&](Pulse::Answer answer) { to_store.push_back(std::move(answer)); });
  EXPECT_EQ(pulse.silent(), Silent()) << "nobody was asked yet";
  pulse.ask();
  EXPECT_EQ(pulse.silent(), (Silent{{"store", false}}));
  pulse.ask();
  EXPECT_EQ(to_store.size(), 1U) << "questions to one that hangs do not pile up";
  to_store[0]();
  EXPECT_EQ(pulse.silent(), Silent());
  pulse.ask();
  EXPECT_EQ(pulse.silent(), (Silent{{"store", false}})) << "an old answer is none";
}

TEST(Pulse, TakesAThreadsOwnCountForAnAnswer) {
  Pulse pulse;
  std::uint64_t wakings = 7;
  int woken = 0;
  pulse.watch(
      "dns-0", [&] { ++woken; }, [&] { return wakings; });
  pulse.ask();
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(pulse.silent(), (Silent{{"dns-0", false}}));
  ++wakings;
  EXPECT_EQ(pulse.silent(), Silent());
}

TEST(Pulse, AnAnswerMayOutliveIt) {
  Pulse::Answer late;
  {
    Pulse pulse;
    pulse.watch("store", [&](Pulse::Answer answer) { late = std::move(answer); });
    pulse.ask();
  }
  late();
}

TEST(DiskSleep, IsTheStateAfterTheLastParenthesis) {
  EXPECT_TRUE(is_in_disk_sleep("12 (store) D 1 12 12 0"));
  EXPECT_FALSE(is_in_disk_sleep("12 (store) S 1 12 12 0"));
  EXPECT_FALSE(is_in_disk_sleep("12 (store) t 1 12 12 0")) << "stopped by a debugger";
  EXPECT_FALSE(is_in_disk_sleep("12 (a) D b) S 1 12 12 0"));
  EXPECT_FALSE(is_in_disk_sleep(""));
  EXPECT_FALSE(is_in_disk_sleep("12 (store) "));
}

}  // namespace
}  // namespace sluice
