#include <chrono>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"

#include "tools/sluicectl/commands/commands.h"

namespace sluice::ctl {
namespace {

using namespace std::chrono_literals;
using Sent = base::Result<Answer, ApiError>;

// One server; the authority takes every order, and is gone from a moment on. Time goes on by
// pauses.
class RollCommand : public testing::Test, public Api, public base::Clock {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::path(testing::TempDir()) / "roll-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    options_.command = Command::Roll;
    options_.pool = "pool";
    options_.exec = "true";
    options_.soak = 0s;
    options_.state_file = folder_ / "state";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Sent send(const Request& request) override {
    if (passed_ >= gone_ && passed_ < back_) {
      return base::Unexpected{ApiError{ApiError::Kind::Unreachable, "gone", 0, {}, {}}};
    }
    const bool order = request.method == Request::Method::Post;
    if (order) held_ = request.path.ends_with("/drain");
    if (order) return understand(200, R"({"generation": 17})", "test");
    const std::string judged = held_ && safe_ ? R"({"safe_to_stop": true, "reasons": []})"
                                              : R"({"safe_to_stop": false, "reasons": []})";
    const std::string hold =
        held_ ? R"({"scope": "server", "origin": "operator", "reason": "roll"})" : "";
    return understand(200,
                      R"({"pool": "pool", "servers": [{"server": "a", "verdict": )" + judged +
                          R"(, "services": {"fe": {"in_answers": false, "status": ")" +
                          (held_ ? "drained" : "accepting") + R"(", "holds": [)" + hold + "]}}}]}",
                      "test");
  }
  base::Result<base::Done, ApiError> stream(const Stream&) override {
    return base::Unexpected{ApiError{}};  // no roll reads one
  }
  base::Now now() const override { return {base::MonoTime(passed_), base::WallTime(passed_)}; }

  Exit rolled() {
    Context context{.api = *this,
                    .clock = *this,
                    .pause = [&](base::Duration duration) -> std::optional<Exit> {
                      passed_ += duration;
                      if (passed_ > 10min) return Exit::Terminated;
                      return {};
                    },
                    .out = out_,
                    .err = err_,
                    .out_surface = {},
                    .err_surface = {}};
    return roll(options_, context);
  }

  Options options_;
  bool held_ = false;
  bool safe_ = false;
  base::Duration passed_{0};
  base::Duration gone_ = 24h;
  base::Duration back_ = 24h;
  std::filesystem::path folder_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(RollCommand, AnAuthorityThatIsGoneIsWaitedForAMinute) {
  gone_ = 5s;
  EXPECT_EQ(rolled(), Exit::NoAuthority);
  EXPECT_GE(passed_, 64s);
  EXPECT_LT(passed_, 70s);
  EXPECT_NE(err_.str().find("the roll of pool stopped: gone"), std::string::npos) << err_.str();
  EXPECT_NE(err_.str().find("`sluicectl resume a` lifts that"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(options_.state_file)) << "to go on from";
}

TEST_F(RollCommand, ARestartOfTheAuthorityIsBridged) {
  gone_ = 5s;
  back_ = 60s;
  options_.limit = 2min;
  EXPECT_EQ(rolled(), Exit::TimedOut) << err_.str();
  EXPECT_GE(passed_, 2min);
}

TEST_F(RollCommand, AFirstLookThatFailsIsTheEnd) {
  gone_ = 0s;
  EXPECT_EQ(rolled(), Exit::NoAuthority);
  EXPECT_EQ(passed_, 0s);
  EXPECT_FALSE(std::filesystem::exists(options_.state_file));
}

TEST_F(RollCommand, AStateThatCannotBeKeptIsSaidAndNothingIsBegun) {
  options_.state_file = "/proc/none/state";
  EXPECT_EQ(rolled(), Exit::Failed);
  EXPECT_FALSE(held_);
}

}  // namespace
}  // namespace sluice::ctl
