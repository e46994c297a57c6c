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

TEST(ReplyToAHeartbeat, SaysThatItsResponderIsCutOffAndNothingOtherwise) {
  HeartbeatReply reply;
  reply.lease = std::chrono::seconds(6);
  EXPECT_EQ(to_text(reply), R"({"generation":0,"lease":6.0,"services":{}})");
  reply.stale = true;
  EXPECT_EQ(to_text(reply), R"({"generation":0,"lease":6.0,"stale":true,"services":{}})");
}

TEST(ReplyToAnOrder, NamesRespondersWhereThereAreSeveral) {
  ResumeReply reply;
  EXPECT_EQ(to_json(reply).dump(), R"({"generation":0,"warnings":[]})");
  reply.unconfirmed = {"ns2"};
  EXPECT_EQ(to_json(reply).dump(),
            R"({"generation":0,"warnings":[],"confirmed_by":[],"unconfirmed":["ns2"]})");
}

TEST(AHold, IsMarkedWhenItIsOfOneResponderAlone) {
  HoldView hold;
  EXPECT_FALSE(to_json(hold).contains("local"));
  hold.local = true;
  EXPECT_EQ(to_json(hold)["local"], true);
}

TEST(ACluster, IsShownAsTheContractHasIt) {
  ClusterView cluster;
  cluster.id = "00c0ffee";
  cluster.prefix = "/sluice";
  cluster.state = ClusterState::CutOff;
  cluster.stale_since = base::WallTime(std::chrono::seconds(1));
  cluster.revision = 1234;
  cluster.generation = 17;
  cluster.publication = 40;
  ClusterResponderView ns1;
  ns1.name = "ns1";
  ns1.self = ns1.alive = true;
  ns1.publication = 40;
  ns1.generation = 17;
  ns1.since = base::WallTime{};
  ns1.dns = {"192.0.2.53@53"};
  ClusterResponderView ns2;
  ns2.name = "ns2";
  ns2.behind = 2;
  ns2.unconfirmed_since = base::WallTime{};
  ns2.clock_offset = std::chrono::milliseconds(-1'500);
  ns2.same_configuration = false;
  cluster.responders = {ns1, ns2};
  cluster.warnings = {"w"};
  EXPECT_EQ(
      to_json(cluster).dump(),
      R"({"id":"00c0ffee","prefix":"/sluice","state":"cut-off","stale":true,)"
      R"("stale_since":"1970-01-01T00:00:01Z","revision":1234,"alarm":null,"decider":null,)"
      R"("generation":17,"publication":40,"responders":[)"
      R"({"name":"ns1","self":true,"alive":true,"decides":false,"publication":40,"generation":17,)"
      R"("behind":0,"unconfirmed_since":null,"clock_offset":null,)"
      R"("since":"1970-01-01T00:00:00Z","version":"","dns":["192.0.2.53@53"],"api":[],)"
      R"("configuration":"","same_configuration":true},)"
      R"({"name":"ns2","self":false,"alive":false,"decides":false,"publication":0,"generation":0,)"
      R"("behind":2,"unconfirmed_since":"1970-01-01T00:00:00Z","clock_offset":-1.5,)"
      R"("since":null,"version":"","dns":[],"api":[],"configuration":"",)"
      R"("same_configuration":false}],"warnings":["w"]})");
}

}  // namespace
}  // namespace sluice::health
