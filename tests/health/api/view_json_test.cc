#include "health/api/view_json.h"

#include <string>

#include <gtest/gtest.h>

namespace sluice::health {
namespace {

std::string lease_of(base::Duration lease) {
  HeartbeatReply reply;
  reply.lease = lease;
  return nlohmann::ordered_json::parse(to_text(reply))["lease"].dump();
}

// It is written by hand, since it comes by the thousand: as the library would.
TEST(ReplyToAHeartbeat, HasTheLeaseInSeconds) {
  for (const int milliseconds : {1, 10, 250, 999, 1'000, 1'001, 5'100, 6'000, 86'400'000}) {
    const nlohmann::ordered_json as_number = milliseconds / 1e3;
    EXPECT_EQ(lease_of(base::Duration(milliseconds)), as_number.dump());
  }
}

TEST(ReplyToAHeartbeat, IsOneDocument) {
  HeartbeatReply reply;
  reply.generation = 17;
  reply.lease = std::chrono::seconds(6);
  reply.services["front-end"].held = true;
  reply.services["front-end"].reason = "say \"when\"";
  reply.services["call-park"].lift = true;
  EXPECT_EQ(to_text(reply),
            R"({"generation":17,"lease":6.0,"services":{)"
            R"("call-park":{"held":false,"reason":"","lift":true,"refused":null},)"
            R"("front-end":{"held":true,"reason":"say \"when\"","lift":false,"refused":null}}})");
}

}  // namespace
}  // namespace sluice::health
