#include "health/api/orders.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "health/rfc3339.h"

namespace sluice::health {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST(ReadDrain, ReadsDurationsAndTimes) {
  const auto order = read_drain(
      R"({"at": "2026-11-20T10:00:30+01:00", "expires": "1h30m", "then": "alarm", "force": true})");
  ASSERT_TRUE(order);
  EXPECT_EQ(*order->at, DrainRequest::When(*parse_rfc3339("2026-11-20T09:00:30Z")));
  EXPECT_EQ(*order->drain.expires, DrainRequest::When(base::Duration(90min)));
  EXPECT_EQ(order->drain.then, Then::Alarm);
  EXPECT_TRUE(order->drain.force);
  const auto other = read_drain(R"({"at": "2h", "expires": "2026-11-20T10:00:30Z"})");
  ASSERT_TRUE(other);
  EXPECT_EQ(*other->at, DrainRequest::When(base::Duration(2h)));
  EXPECT_EQ(*other->drain.expires, DrainRequest::When(*parse_rfc3339("2026-11-20T10:00:30Z")));
  EXPECT_EQ(other->drain.then, Then::Lift);
}

TEST(ReadDrain, IsForNowAndForGoodWithoutThem) {
  for (const char* body : {"", "{}", R"({"at": null, "expires": null, "then": null})"}) {
    const auto order = read_drain(body);
    ASSERT_TRUE(order) << body;
    EXPECT_FALSE(order->at);
    EXPECT_FALSE(order->drain.expires);
  }
}

TEST(ReadDrain, IsForOneResponderAloneOnlyNow) {
  EXPECT_FALSE(read_drain("{}")->drain.local_force);
  EXPECT_TRUE(read_drain(R"({"local_force": true})")->drain.local_force);
  const auto planned = read_drain(R"({"local_force": true, "at": "2h"})");
  ASSERT_FALSE(planned);
  EXPECT_THAT(planned.error().body, HasSubstr("\"member\":\"local_force\""));
}

TEST(ReadForget, WantsAName) {
  EXPECT_EQ(*read_forget(R"({"responder": "ns2"})"), "ns2");
  for (const char* body : {"", "{}", R"({"responder": ""})", R"({"responder": 2})"}) {
    const auto order = read_forget(body);
    ASSERT_FALSE(order) << body;
    EXPECT_THAT(order.error().body, HasSubstr("\"member\":\"responder\"")) << body;
  }
  EXPECT_FALSE(read_forget(R"({"responder": "ns2", "force": true})"));
}

TEST(ReadDrain, NamesTheMemberWhoseFormIsWrong) {
  const auto error = [](const std::string& body) {
    const auto order = read_drain(body);
    return order ? "accepted" : order.error().body;
  };
  for (const char* member : {"at", "expires"}) {
    for (const char* value :
         {"\"\"", "\"22:00\"", "\"+2h\"", "\"2 h\"", "\"-1h\"", "7200", "true", "[]", "\"2h \"",
          "\"2026-11-20\"", "\"2026-11-20T10:00:30\"", "\"2026-11-31T10:00:30Z\"", "\"101y\""}) {
      EXPECT_THAT(error(std::string("{\"") + member + "\": " + value + "}"),
                  HasSubstr(std::string("\"member\":\"") + member + "\""))
          << value;
    }
  }
  EXPECT_THAT(error(R"({"then": "alarm"})"), HasSubstr("\"member\":\"then\""));
  EXPECT_THAT(error(R"({"expires": "1h", "then": "Lift"})"), HasSubstr("\"member\":\"then\""));
}

}  // namespace
}  // namespace sluice::health
