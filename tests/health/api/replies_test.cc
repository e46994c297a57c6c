#include "health/api/replies.h"

#include <gtest/gtest.h>

namespace sluice::health {
namespace {

HttpResponse response_of(const std::function<void(const Exchange&)>& answer) {
  HttpResponse made;
  Exchange exchange;
  exchange.reply = [&made](const Exchange::Make& make) { made = make(); };
  answer(exchange);
  return made;
}

TEST(ReplyConfirmed, SaysByItsStatusWhetherAllHave) {
  DrainReply drained;
  drained.confirmed_by = {"ns1"};
  const auto status = [](auto reply) {
    return response_of([&](const Exchange& exchange) {
             reply_confirmed(exchange, Outcome<decltype(reply)>(std::move(reply)));
           })
        .status;
  };
  EXPECT_EQ(status(drained), 200);
  EXPECT_EQ(status(ResumeReply{}), 200);
  drained.unconfirmed = {"ns2"};
  EXPECT_EQ(status(drained), 202);
  ResumeReply resumed;
  resumed.unconfirmed = {"ns2"};
  EXPECT_EQ(status(resumed), 202);
}

TEST(ReplyConfirmed, LeavesARefusalAsItIs) {
  const HttpResponse refused = response_of([](const Exchange& exchange) {
    reply_confirmed(exchange, Outcome<DrainReply>(
                                  base::Unexpected{refuse(Refusal::Kind::Unavailable, "cut off")}));
  });
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.content_type, "application/problem+json");
}

}  // namespace
}  // namespace sluice::health
