#include "tools/sluice-agent/checks/sip_question.h"

#include <gtest/gtest.h>

namespace sluice::agent {
namespace {

struct Question : testing::Test {
  config::SipCheck check{*base::SocketAddress::parse("192.0.2.1@5060"), {}, {}};

  // The verdict on an answer with this status to a question about `check`.
  std::optional<std::string> verdict(const std::string& status, const std::string& branch = "") {
    const SipQuestion question(check);
    const std::string request = question.request(*base::SocketAddress::parse("192.0.2.9@40000"));
    const auto from = request.find("branch=") + 7;
    const std::string own = request.substr(from, request.find(';', from) - from);
    return question.judge("SIP/2.0 " + status + "\r\nVia: SIP/2.0/UDP h;branch=" +
                          (branch.empty() ? own : branch) + "\r\nCSeq: 1 OPTIONS\r\n\r\n");
  }
};

TEST_F(Question, IsPassedByAny2xxUnlessStatusesAreNamed) {
  EXPECT_EQ(verdict("200 OK"), "");
  EXPECT_EQ(verdict("202 Accepted"), "");
  EXPECT_EQ(verdict("404 Not Found"), "answered 404 Not Found");
  check.status = {404, 405};
  EXPECT_EQ(verdict("405 Method Not Allowed"), "");
  EXPECT_EQ(verdict("200 OK"), "answered 200 OK");
}

TEST_F(Question, WaitsOnAfterAProvisionalAnswerAndAfterSomebodyElses) {
  EXPECT_FALSE(verdict("100 Trying"));
  EXPECT_FALSE(verdict("200 OK", "z9hG4bKother"));
}

TEST_F(Question, IsAskedAnewUnderNamesOfItsOwn) {
  const auto local = *base::SocketAddress::parse("192.0.2.9@40000");
  EXPECT_NE(SipQuestion(check).request(local), SipQuestion(check).request(local));
}

}  // namespace
}  // namespace sluice::agent
