#include "tools/sluicectl/commands/wait.h"

#include <chrono>
#include <deque>
#include <sstream>
#include <utility>

#include "gtest/gtest.h"

#include "tools/sluicectl/commands/commands.h"

namespace sluice::ctl {
namespace {

using namespace std::chrono_literals;
using Sent = base::Result<Answer, ApiError>;

Sent seen(const std::string& octets) {
  return understand(200, octets, "test");
}

Sent failed(ApiError::Kind kind) {
  return base::Unexpected{ApiError{kind, "gone", 0, {}, {}}};
}

std::string server(const std::string& verdict, const std::string& status, bool held) {
  const std::string holds = held ? R"([{"scope": "server", "origin": "operator"}])" : "[]";
  return R"({"server": "fe02.example", "verdict": )" + verdict +
         R"(, "services": {"fe": {"status": ")" + status +
         R"(", "in_answers": false, "verdict": )" + verdict + R"(, "holds": )" + holds + "}}}";
}
const std::string kUnsafe =
    R"({"safe_to_stop": false, "reasons": [{"code": "sessions", "text": "3 calls on fe"}]})";
const std::string kSafe = R"({"safe_to_stop": true, "reasons": []})";

// Time goes on by pauses alone, and by what a request is said to take.
class Waiting : public testing::Test, public Api, public base::Clock {
 protected:
  Sent send(const Request& request) override {
    limits_.push_back(request.limit);
    passed_ += took_;
    Sent next = said_.front();
    if (said_.size() > 1) said_.pop_front();
    return next;
  }
  base::Result<base::Done, ApiError> stream(const Stream&) override {
    return base::Unexpected{ApiError{}};  // no wait reads one
  }
  base::Now now() const override { return {base::MonoTime(passed_), base::WallTime(passed_)}; }

  Exit waited(const Goal& goal) {
    options_.server = "fe02";
    Context context{.api = *this,
                    .clock = *this,
                    .pause = [&](base::Duration duration) -> std::optional<Exit> {
                      passed_ += duration;
                      if (passed_ > 10min) return signal_.value_or(Exit::Terminated);
                      return signal_;
                    },
                    .out = out_,
                    .err = err_,
                    .out_surface = {},
                    .err_surface = {}};
    return wait_until(goal, options_, context);
  }

  Options options_;
  std::deque<Sent> said_;
  base::Duration took_{0};
  base::Duration passed_{0};
  std::optional<Exit> signal_;
  std::vector<base::Duration> limits_;
  std::ostringstream out_;
  std::ostringstream err_;
};

constexpr Goal kPlaced{.accepting = false, .placed = true};
constexpr Goal kDrained{.accepting = false, .placed = false};
constexpr Goal kAccepting{.accepting = true, .placed = false};

TEST_F(Waiting, EndsWhenTheVerdictIsSafe) {
  said_ = {seen(server(kUnsafe, "draining", true)), seen(server(kSafe, "drained", true))};
  EXPECT_EQ(waited(kPlaced), Exit::Done);
  EXPECT_EQ(out_.str(),
            "fe02.example: sessions left: 3 calls on fe\nfe02.example is safe to take offline\n");
  EXPECT_GE(passed_, 500ms);
  EXPECT_LE(passed_, 1s);
}

TEST_F(Waiting, OfRespondersThatHaveNotConfirmedSaysOnceWhatToDo) {
  const std::string waits =
      R"({"safe_to_stop": false, "reasons": [{"code": "unconfirmed-responder", "text": "ns2"}]})";
  const Sent seen_waiting = seen(server(waits, "draining", true));
  const Sent safe = seen(server(kSafe, "drained", true));
  const auto advised = [&](const Goal& goal, std::deque<Sent> said) {
    said_ = std::move(said);
    err_.str("");
    EXPECT_EQ(waited(goal), Exit::Done);
    const std::string text = err_.str();
    const std::size_t first = text.find("`sluicectl cluster`");
    EXPECT_EQ(text.find("`sluicectl cluster`", first + 1), std::string::npos) << text;
    return first != std::string::npos;
  };
  EXPECT_TRUE(advised(kDrained, {seen_waiting, seen_waiting, seen_waiting, safe}));
  EXPECT_FALSE(advised(kDrained, {seen_waiting, safe})) << "it was for a moment";
  Goal told = kPlaced;
  told.unconfirmed_told = true;
  EXPECT_FALSE(advised(told, {seen_waiting, seen_waiting, seen_waiting, safe}));
}

TEST_F(Waiting, OfWhatNothingHoldsSaysWhatWould) {
  const std::string free =
      R"({"safe_to_stop": false, "reasons": [{"code": "not-held", "text": "fe is not held"},
          {"code": "sessions", "text": "3 calls on fe"}]})";
  said_ = {seen(server(free, "down", false)), seen(server(kUnsafe, "draining", true)),
           seen(server(kSafe, "drained", true))};
  EXPECT_EQ(waited(kDrained), Exit::Done);
  EXPECT_EQ(out_.str(),
            "fe02.example: nothing holds it; `sluicectl drain fe02` does\n"
            "fe02.example: sessions left: 3 calls on fe\nfe02.example is safe to take offline\n");
}

TEST_F(Waiting, GoesOnForEverWithoutALimit) {
  said_ = {seen(server(kUnsafe, "draining", true))};
  EXPECT_EQ(waited(kPlaced), Exit::Terminated);  // by the test, after ten minutes
}

TEST_F(Waiting, EndsWithItsTimeAndLooksOnceMoreAtTheEnd) {
  options_.limit = 1200ms;
  said_ = {seen(server(kUnsafe, "draining", true))};
  EXPECT_EQ(waited(kPlaced), Exit::TimedOut);
  EXPECT_EQ(passed_, 1200ms);
  EXPECT_EQ(limits_.size(), 4U);
  EXPECT_NE(err_.str().find("timed out after 2 s: sessions left: 3 calls on fe"), std::string::npos)
      << err_.str();
  EXPECT_NE(err_.str().find("`sluicectl resume fe02` lifts it"), std::string::npos);
}

TEST_F(Waiting, OfNoTimeIsOneLook) {
  options_.limit = 0s;
  said_ = {seen(server(kSafe, "drained", true))};
  EXPECT_EQ(waited(kDrained), Exit::Done);
  said_ = {seen(server(kUnsafe, "draining", true))};
  EXPECT_EQ(waited(kDrained), Exit::TimedOut);
  EXPECT_EQ(err_.str().find("The hold stays"), std::string::npos) << "it was not ours";
}

TEST_F(Waiting, ARequestMayNotTakeMuchLongerThanTheWait) {
  options_.limit = 10s;
  took_ = 3s;
  said_ = {failed(ApiError::Kind::NoAnswer)};
  EXPECT_EQ(waited(kPlaced), Exit::TimedOut);
  ASSERT_GE(limits_.size(), 2U);
  EXPECT_EQ(limits_.front(), 10s);
  EXPECT_LT(limits_.back(), 7s);
  for (const base::Duration limit : limits_) EXPECT_GE(limit, 1s);
}

TEST_F(Waiting, BridgesARestartOfTheAuthorityForAMinute) {
  said_ = {seen(server(kUnsafe, "draining", true)), failed(ApiError::Kind::Unreachable),
           failed(ApiError::Kind::NoAnswer), understand(503, R"({"detail": "starting"})", "test"),
           seen(server(kSafe, "drained", true))};
  EXPECT_EQ(waited(kPlaced), Exit::Done);
  passed_ = {};
  said_ = {seen(server(kUnsafe, "draining", true)), failed(ApiError::Kind::Unreachable)};
  EXPECT_EQ(waited(kPlaced), Exit::NoAuthority);
  EXPECT_GE(passed_, 60s);
  EXPECT_LT(passed_, 65s);
}

TEST_F(Waiting, AnAuthorityThatNeverAnsweredIsNotWaitedFor) {
  said_ = {failed(ApiError::Kind::Unreachable)};
  EXPECT_EQ(waited(kDrained), Exit::NoAuthority);
  EXPECT_EQ(passed_, 0s);
}

TEST_F(Waiting, EndsAtOnceWhenTheAuthorityRefuses) {
  for (const long status : {400, 404, 500}) {
    said_ = {understand(status, R"({"detail": "no"})", "test")};
    EXPECT_EQ(waited(kPlaced), Exit::Failed);
  }
  said_ = {understand(401, "{}", "test")};
  EXPECT_EQ(waited(kPlaced), Exit::NoAuthority);
}

TEST_F(Waiting, AHoldThatIsGoneEndsTheWaitOfWhoPlacedItAlone) {
  said_ = {seen(server(kUnsafe, "accepting", false))};
  EXPECT_EQ(waited(kPlaced), Exit::Failed);
  EXPECT_NE(err_.str().find("the hold was lifted"), std::string::npos);
  options_.limit = 5s;
  EXPECT_EQ(waited(kDrained), Exit::TimedOut) << "somebody may drain it yet";
}

TEST_F(Waiting, IsHopelessWhereOnlyDnsStandsAgainstIt) {
  said_ = {seen(server(
      R"({"safe_to_stop": false, "reasons": [{"code": "not-by-dns", "text": "not by DNS"}]})",
      "drained", true))};
  EXPECT_EQ(waited(kPlaced), Exit::Refused);
}

TEST_F(Waiting, ForAcceptingLooksAtTheStatus) {
  said_ = {seen(server(kUnsafe, "held", true)), seen(server(kUnsafe, "accepting", false))};
  EXPECT_EQ(waited(kAccepting), Exit::Done);
  EXPECT_EQ(out_.str(), "fe02.example: fe held\nfe02.example is accepting\n");
}

TEST_F(Waiting, AServiceThatIsNotThereIsAFailure) {
  options_.service = "nosuch";
  said_ = {seen(server(kSafe, "drained", true))};
  EXPECT_EQ(waited(kDrained), Exit::Failed);
  EXPECT_NE(err_.str().find("it runs fe"), std::string::npos);
}

TEST_F(Waiting, ASignalEndsItAndSaysThatTheHoldStays) {
  signal_ = Exit::Interrupted;
  said_ = {seen(server(kUnsafe, "draining", true))};
  EXPECT_EQ(waited(kPlaced), Exit::Interrupted);
  EXPECT_NE(err_.str().find("interrupted\nThe hold stays"), std::string::npos);
  signal_ = Exit::Terminated;
  said_ = {failed(ApiError::Kind::Interrupted)};
  EXPECT_EQ(waited(kPlaced), Exit::Terminated);
}

TEST_F(Waiting, JsonIsTheServerAsLastSeenAndNothingElse) {
  options_.json = true;
  const std::string safe = server(kSafe, "drained", true);
  said_ = {seen(server(kUnsafe, "draining", true)), seen(safe)};
  EXPECT_EQ(waited(kPlaced), Exit::Done);
  EXPECT_EQ(out_.str(), safe + "\n");
  EXPECT_NE(err_.str().find("3 calls"), std::string::npos);
}

}  // namespace
}  // namespace sluice::ctl
