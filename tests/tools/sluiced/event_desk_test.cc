#include "tools/sluiced/event_desk.h"

#include <chrono>
#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice {
namespace {

class Written final : public health::Store {
 public:
  void commit(std::vector<health::Change> changes, Urgency,
              std::function<void(Stored)> done) override {
    for (health::Change& each : changes) all.push_back(std::move(each));
    if (done) done(base::Done{});
  }
  const health::Histogram& commit_seconds() const noexcept override { return histogram; }

  template <class Change>
  std::vector<Change> of() const {
    std::vector<Change> found;
    for (const health::Change& each : all) {
      if (const auto* one = std::get_if<Change>(&each)) found.push_back(*one);
    }
    return found;
  }

  std::vector<health::Change> all;
  health::Histogram histogram;
};

class EventDeskTest : public testing::Test {
 protected:
  EventDeskTest() {
    uv_loop_init(&loop_);
    desk_.emplace(&loop_, clock_, store_,
                  EventDesk::Ports{[this]() -> const config::Store& { return settings_; },
                                   [this] { return generation_; }});
  }
  ~EventDeskTest() override {
    desk_.reset();
    uv_run(&loop_, UV_RUN_DEFAULT);
    uv_loop_close(&loop_);
  }

  uv_loop_t loop_{};
  base::SystemClock clock_;
  Written store_;
  config::Store settings_;
  std::uint64_t generation_ = 7;
  std::optional<EventDesk> desk_;
};

TEST_F(EventDeskTest, WhatIsRecordedIsInTheAuditAndInTheStream) {
  health::Event event;
  event.type = health::EventType::Reload;
  event.text = "the configuration was taken over";
  desk_->record(event);
  const auto audit = store_.of<health::AppendAudit>();
  ASSERT_EQ(audit.size(), 1U);
  EXPECT_EQ(audit.front().event.text, event.text);
  EXPECT_EQ(audit.front().event.generation, 7U);
  EXPECT_GT(audit.front().event.at, base::WallTime{});
  const auto stream = desk_->hub().take(1, 10).events;
  ASSERT_EQ(stream.size(), 1U);
  EXPECT_EQ(stream.front()->text, event.text);
}

TEST_F(EventDeskTest, WhatIsToldIsNotItsOwnToAudit) {
  health::Event event;
  event.type = health::EventType::Drain;
  desk_->tell(event);
  EXPECT_TRUE(store_.all.empty());
  EXPECT_EQ(desk_->hub().newest(), 1U);
}

TEST_F(EventDeskTest, PrunesTheAuditWheneverATenthOfItHasCome) {
  settings_.audit_entries = 40;
  health::Event event;
  event.type = health::EventType::Drain;
  for (int i = 0; i < 3; ++i) desk_->tell(event);
  EXPECT_TRUE(store_.of<health::PruneAudit>().empty());
  for (int i = 0; i < 5; ++i) desk_->tell(event);
  const auto prunes = store_.of<health::PruneAudit>();
  ASSERT_EQ(prunes.size(), 2U);
  EXPECT_EQ(prunes.front().most, 40U);
}

TEST_F(EventDeskTest, PrunesAtTheStart) {
  desk_->start_pruning();
  uv_run(&loop_, UV_RUN_NOWAIT);
  EXPECT_EQ(store_.of<health::PruneAudit>().size(), 1U);
  desk_->stop_pruning();
  EXPECT_FALSE(uv_loop_alive(&loop_));
}

}  // namespace
}  // namespace sluice
