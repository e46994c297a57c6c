#include "health/api/gatherer.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"

#include "tests/health/fixture.h"

namespace sluice::health {
namespace {

constexpr std::uint64_t kMillisecond = 1'000'000;

TEST(Pace, IsFastFromAThousandASecondOn) {
  Pace pace;
  std::uint64_t now = 1'000 * kMillisecond;
  pace.fast(now);
  for (int i = 0; i < 25; ++i) {  // 1,250 a second
    pace.add();
    now += kMillisecond * 8 / 10;
    EXPECT_FALSE(pace.fast(now) && i < 20) << "before a window was over";
  }
  EXPECT_TRUE(pace.fast(now));
  for (int i = 0; i < 20; ++i) {  // 500 a second
    pace.add();
    now += kMillisecond * 2;
    pace.fast(now);
  }
  EXPECT_FALSE(pace.fast(now));
}

TEST(Pace, IsNotFastByABurstAfterALongRest) {
  Pace pace;
  pace.fast(0);
  for (int i = 0; i < 30; ++i) pace.add();
  EXPECT_FALSE(pace.fast(10'000 * kMillisecond));
}

// A loop that runs what a turn of it brings.
class GathererTest : public testing::AuthorityTest {
 protected:
  GathererTest() {
    start();
    uv_loop_init(&loop_);
    timer_ = std::make_unique<uv_timer_t>();
    uv_timer_init(&loop_, timer_.get());
    timer_->data = this;
  }
  ~GathererTest() override {
    gatherer_.reset();
    uv_close(reinterpret_cast<uv_handle_t*>(timer_.get()), nullptr);
    uv_run(&loop_, UV_RUN_DEFAULT);
    EXPECT_EQ(uv_loop_close(&loop_), 0);
  }

  void make() {
    gatherer_ = std::make_unique<Gatherer>(
        &loop_, [this](Gatherer::Task task) { handed_.push_back(std::move(task)); });
  }
  // One turn of the loop, in which so many tasks come.
  void turn(int tasks) {
    coming_ = tasks;
    uv_timer_start(
        timer_.get(),
        [](uv_timer_t* timer) {
          auto& self = *static_cast<GathererTest*>(timer->data);
          for (int i = 0; i < self.coming_; ++i) {
            self.gatherer_->post([&self, number = self.posted_++](Authority&) {
              self.ran_ += std::to_string(number);
            });
          }
          EXPECT_TRUE(self.handed_.empty()) << "before the turn's end";
        },
        0, 0);
    uv_run(&loop_, UV_RUN_ONCE);
  }

  uv_loop_t loop_{};
  std::unique_ptr<uv_timer_t> timer_;
  std::unique_ptr<Gatherer> gatherer_;
  std::vector<Gatherer::Task> handed_;
  int coming_ = 0;
  int posted_ = 0;
  std::string ran_;
};

TEST_F(GathererTest, HandsOverTheTasksOfATurnTogetherInTheirOrder) {
  make();
  turn(3);
  ASSERT_EQ(handed_.size(), 1U);
  handed_.front()(*authority);
  EXPECT_EQ(ran_, "012");
  handed_.clear();
  turn(1);
  ASSERT_EQ(handed_.size(), 1U);
  handed_.front()(*authority);
  EXPECT_EQ(ran_, "0123");
}

TEST_F(GathererTest, DoesNotRestWhileSomebodyHurries) {
  make();
  EXPECT_FALSE(gatherer_->hurried());
  auto one = gatherer_->hurry();
  auto copy = one;
  auto other = gatherer_->hurry();
  one.reset();
  other.reset();
  EXPECT_TRUE(gatherer_->hurried());
  copy.reset();
  EXPECT_FALSE(gatherer_->hurried());
  other = gatherer_->hurry();
  gatherer_.reset();  // whoever hurries may outlive it
}

TEST_F(GathererTest, KeepsNoLoopRunning) {
  make();
  EXPECT_EQ(uv_run(&loop_, UV_RUN_DEFAULT), 0);
  EXPECT_TRUE(handed_.empty());
}

}  // namespace
}  // namespace sluice::health
