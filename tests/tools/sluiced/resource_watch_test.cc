#include "tools/sluiced/resource_watch.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ResourceWatchTest : public testing::Test {
 protected:
  ResourceWatchTest() {
    uv_loop_init(&loop_);
    ResourceWatch::Ports ports;
    ports.accepting = [this] {
      ++looks_;
      return accepting_;
    };
    ports.shed = [this](Shedding shedding) { shed_.push_back(shedding); };
    ports.tell = [this](const std::string& text) { told_.push_back(text); };
    watch_.emplace(&loop_, clock_, 1'024, std::move(ports));
  }
  ~ResourceWatchTest() override {
    watch_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }

  void look(int times) {
    for (const int end = looks_ + times; looks_ < end;) uv_run(&loop_, UV_RUN_ONCE);
  }

  uv_loop_t loop_{};
  base::SystemClock clock_;
  std::optional<ResourceWatch::Accepting> accepting_ = ResourceWatch::Accepting{};
  std::vector<Shedding> shed_;
  std::vector<std::string> told_;
  int looks_ = 0;
  std::optional<ResourceWatch> watch_;
};

TEST_F(ResourceWatchTest, TellsOnceThatDescriptorsAreUsedUp) {
  watch_->start();
  look(2);
  EXPECT_TRUE(told_.empty());
  accepting_ = ResourceWatch::Accepting{7, true};
  look(3);
  EXPECT_THAT(told_, ElementsAre(HasSubstr("file descriptors are used up (1024 may be open)")));
}

// A take-over by another process that failed: nobody can be asked, and then all counts anew.
TEST_F(ResourceWatchTest, TellsNothingOfWhoWasAway) {
  accepting_ = ResourceWatch::Accepting{7, false};
  watch_->start();
  look(2);
  ASSERT_THAT(told_, ElementsAre(HasSubstr("file descriptors are used up")));
  accepting_.reset();
  look(2);
  accepting_ = ResourceWatch::Accepting{7, false};
  look(2);
  accepting_ = ResourceWatch::Accepting{0, false};
  look(2);
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(ResourceWatchTest, ShedsWhenWhatIsResidentNearsTheLimit) {
  const std::uint64_t resident = ResidentMemory().octets();
  watch_->set_memory_limit(resident / 2);
  watch_->start();
  look(2);
  EXPECT_THAT(shed_, ElementsAre(Shedding::TcpClients));
  EXPECT_THAT(told_, ElementsAre(HasSubstr("memory is short")));
  std::string page;
  watch_->append_metrics(page);
  EXPECT_THAT(page, HasSubstr("\nsluice_memory_shedding 2\n"));
  EXPECT_EQ(watch_->shedding(), Shedding::TcpClients);
}

}  // namespace
}  // namespace sluice
