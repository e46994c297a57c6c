#include "health/api/request_parser.h"

#include <gtest/gtest.h>

namespace sluice::health {
namespace {

using State = RequestParser::State;

struct Reading {
  std::vector<HttpRequest> requests;
  State state = State::Idle;
  int status = 0;  // of a failure
};

// Feeds `octets` in pieces and reads what there is.
Reading read(std::string_view octets, std::size_t piece = std::string_view::npos,
             const HttpLimits& limits = {}) {
  RequestParser parser(limits);
  Reading reading;
  while (!octets.empty()) {
    parser.feed(octets.substr(0, piece));
    octets.remove_prefix(std::min(piece, octets.size()));
    for (bool more = true; more;) {
      reading.state = parser.advance();
      more = reading.state == State::HeadDone || reading.state == State::Done;
      if (reading.state == State::Done) reading.requests.push_back(parser.take());
    }
    if (reading.state == State::Failed) {
      reading.status = parser.error().status;
      break;
    }
  }
  return reading;
}

int status_of(std::string_view octets) {
  const Reading whole = read(octets);
  const Reading slow = read(octets, 1);
  EXPECT_EQ(whole.status, slow.status) << "depends on how the octets arrive: " << octets;
  EXPECT_EQ(whole.requests.size(), slow.requests.size());
  return whole.status;
}

constexpr std::string_view kGet = "GET /v1/pools?x=y HTTP/1.1\r\nHost: a\r\nX-Y:  z \t\r\n\r\n";
constexpr std::string_view kPut =
    "PUT /v1/servers/fe01/heartbeat HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
constexpr std::string_view kChunked =
    "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nhel\r\n2;e=\"v\"\r\nlo\r\n0\r\n\r\n";

TEST(RequestParser, ReadsARequestWithoutBody) {
  const Reading reading = read(kGet);
  ASSERT_EQ(reading.requests.size(), 1U);
  const HttpRequest& request = reading.requests[0];
  EXPECT_EQ(request.method, Method::Get);
  EXPECT_EQ(request.target, "/v1/pools?x=y");
  EXPECT_EQ(request.field("x-y"), "z");
  EXPECT_TRUE(request.keep_alive);
  EXPECT_FALSE(request.has_body);
  EXPECT_EQ(reading.state, State::Idle);
}

TEST(RequestParser, ReadsBodiesOfBothFramings) {
  for (const std::string_view octets : {kPut, kChunked}) {
    const Reading reading = read(octets);
    ASSERT_EQ(reading.requests.size(), 1U) << reading.status;
    EXPECT_EQ(reading.requests[0].body, "hello");
    EXPECT_TRUE(reading.requests[0].has_body);
  }
}

TEST(RequestParser, ReadsPipelinedRequestsHoweverTheyArrive) {
  std::string octets;
  for (int i = 0; i < 3; ++i) octets.append(kGet).append(kPut).append(kChunked);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, octets.size()}) {
    const Reading reading = read(octets, piece);
    ASSERT_EQ(reading.requests.size(), 9U) << piece;
    EXPECT_EQ(reading.state, State::Idle);
    for (std::size_t i = 0; i < 9; ++i) {
      EXPECT_EQ(reading.requests[i].body, i % 3 == 0 ? "" : "hello");
    }
  }
}

TEST(RequestParser, WaitsForTheRestAtEveryTruncation) {
  for (const std::string_view octets : {kGet, kPut, kChunked}) {
    for (std::size_t size = 1; size < octets.size(); ++size) {
      const Reading reading = read(octets.substr(0, size));
      ASSERT_TRUE(reading.state == State::Head || reading.state == State::Body) << size;
      ASSERT_TRUE(reading.requests.empty()) << size;
    }
  }
}

TEST(RequestParser, SurvivesEveryChangedOctet) {
  for (const std::string_view original : {kGet, kPut, kChunked}) {
    std::string octets(original);
    for (char& octet : octets) {
      const char was = octet;
      for (int value = 0; value < 256; ++value) {
        octet = static_cast<char>(value);
        const Reading whole = read(octets);
        ASSERT_LE(whole.requests.size(), 2U);
      }
      octet = was;
    }
  }
}

TEST(RequestParser, IgnoresEmptyLinesBetweenRequests) {
  EXPECT_EQ(read("\r\n\r\n" + std::string(kGet) + "\r\n" + std::string(kGet)).requests.size(), 2U);
}

TEST(RequestParser, KeepsTheConnectionAsTheVersionSays) {
  EXPECT_FALSE(read("GET / HTTP/1.0\r\n\r\n").requests.at(0).keep_alive);
  EXPECT_TRUE(read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").requests.at(0).keep_alive);
  EXPECT_FALSE(
      read("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").requests.at(0).keep_alive);
}

TEST(RequestParser, AcceptsTheAbsoluteFormOfItsOwnHost) {
  EXPECT_EQ(read("GET http://A:1/v1?x HTTP/1.1\r\nHost: a:1\r\n\r\n").requests.at(0).target,
            "/v1?x");
  EXPECT_EQ(read("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n").requests.at(0).target, "/");
  EXPECT_EQ(read("GET http://a?x HTTP/1.1\r\nHost: a\r\n\r\n").requests.at(0).target, "/?x");
  EXPECT_EQ(status_of("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
}

TEST(RequestParser, IgnoresAnUpgrade) {
  const Reading reading =
      read("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" +
           std::string(kGet));
  EXPECT_EQ(reading.requests.size(), 2U);
}

TEST(RequestParser, NoticesAnExpectation) {
  const std::string head = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: ";
  EXPECT_TRUE(read(head + "100-Continue\r\n\r\nhello").requests.at(0).expects_continue);
  EXPECT_EQ(status_of(head + "200-ok\r\n\r\n"), 417);
  EXPECT_FALSE(read("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n")
                   .requests.at(0)
                   .expects_continue)
      << "there is no body to wait for";
}

struct Refused {
  const char* octets;
  int status;
};

class RequestParserRefuses : public ::testing::TestWithParam<Refused> {};

TEST_P(RequestParserRefuses, Form) {
  EXPECT_EQ(status_of(GetParam().octets), GetParam().status) << GetParam().octets;
}

#define HOST "Host: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
INSTANTIATE_TEST_SUITE_P(
    Smuggling, RequestParserRefuses,
    ::testing::Values(
        Refused{"GET / HTTP/1.1\n" HOST "\r\n", 400},
        Refused{"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
        Refused{"GET / HTTP/1.1\r" HOST "\r\n", 400},
        Refused{"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", 400},
        Refused{"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400},
        Refused{"GET / HTTP/1.1\r\n " HOST "\r\n", 400},
        Refused{"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        Refused{"GET / HTTP/1.1\r\n: a\r\n\r\n", 400},
        Refused{"GET / HTTP/1.1\r\nHost\r\n\r\n", 400},
        Refused{"GET / HTTP/1.1\r\nHost: a\r\nX\x01: y\r\n\r\n", 400},
        Refused{"GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", 400},
        Refused{"GET / HTTP/1.1\r\n\r\n", 400}, Refused{"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
        Refused{"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        Refused{"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400},
        Refused{"GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
        Refused{"GET / x HTTP/1.1\r\n" HOST "\r\n", 400}, Refused{"GET /\r\n" HOST "\r\n", 400},
        Refused{"GET /#x HTTP/1.1\r\n" HOST "\r\n", 400},
        Refused{"GET * HTTP/1.1\r\n" HOST "\r\n", 400},
        Refused{"GET x HTTP/1.1\r\n" HOST "\r\n", 400},
        Refused{"GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", 400},
        Refused{"GET / HTTP/0.9\r\n" HOST "\r\n", 505},
        Refused{"GET / HTTP/2.0\r\n" HOST "\r\n", 505},
        Refused{"GET / HTTP/1.2\r\n" HOST "\r\n", 505},
        Refused{"GET / http/1.1\r\n" HOST "\r\n", 400},
        Refused{"GET / ICE/1.1\r\n" HOST "\r\n", 400},
        Refused{"GET / HTTP/1.10\r\n" HOST "\r\n", 400},
        Refused{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        Refused{"BREW / HTTP/1.1\r\n" HOST "\r\n", 501},
        Refused{"LINK / HTTP/1.1\r\n" HOST "\r\n", 501},
        Refused{"CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", 400},
        Refused{"get / HTTP/1.1\r\n" HOST "\r\n", 501}, Refused{"\x16\x03\x01\x02", 400},
        Refused{POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400},
        Refused{POST "Content-Length: 1, 1\r\n\r\nx", 400},
        Refused{POST "Content-Length: +1\r\n\r\nx", 400},
        Refused{POST "Content-Length: -1\r\n\r\nx", 400},
        Refused{POST "Content-Length: 1 1\r\n\r\nx", 400},
        Refused{POST "Content-Length: 0x1\r\n\r\nx", 400},
        Refused{POST "Content-Length:\r\n\r\n", 400},
        Refused{POST "Content-Length : 1\r\n\r\nx", 400},
        Refused{POST "Content-Length: 1.\r\n\r\nx", 400},
        Refused{POST "Content-Length: 1048577\r\n\r\n", 413},
        Refused{POST "Content-Length: 18446744073709551617\r\n\r\nx", 413},
        Refused{POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        Refused{POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n", 400},
        Refused{POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        Refused{POST "Transfer-Encoding: chunked, identity\r\n\r\n", 501},
        Refused{POST "Transfer-Encoding: xchunked\r\n\r\n", 501},
        Refused{POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
        Refused{POST "Transfer-Encoding:\r\n\r\n", 501},
        Refused{"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400}));

INSTANTIATE_TEST_SUITE_P(
    Chunks, RequestParserRefuses,
    ::testing::Values(
        Refused{CHUNKED "5\nhello\r\n0\r\n\r\n", 400},
        Refused{CHUNKED "5\r\nhello\n0\r\n\r\n", 400}, Refused{CHUNKED "5\r\nhello0\r\n\r\n", 400},
        Refused{CHUNKED "5\r\nhello\r\r\n0\r\n\r\n", 400},
        Refused{CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", 400},
        Refused{CHUNKED "+5\r\nhello\r\n0\r\n\r\n", 400}, Refused{CHUNKED "-1\r\n", 400},
        Refused{CHUNKED " 5\r\nhello\r\n0\r\n\r\n", 400},
        Refused{CHUNKED "5 \r\nhello\r\n0\r\n\r\n", 400}, Refused{CHUNKED "\r\n", 400},
        Refused{CHUNKED "FFFFFFFFFFFFFFFFF\r\n", 400}, Refused{CHUNKED "0\r\nX: y\r\n\r\n", 400},
        Refused{CHUNKED "0\r\n\n", 400}, Refused{CHUNKED "0\r\n\rx", 400},
        Refused{CHUNKED "0\n\r\n", 400}, Refused{CHUNKED "5;\nhello\r\n0\r\n\r\n", 400},
        Refused{CHUNKED "5;a\nhello\r\n0\r\n\r\n", 400},
        Refused{CHUNKED "5;a=\nhello\r\n0\r\n\r\n", 400},
        Refused{CHUNKED "5;a\rx\nhello\r\n0\r\n\r\n", 400}));

TEST(RequestParser, BoundsTheHead) {
  const HttpLimits limits;
  EXPECT_EQ(status_of("GET /" + std::string(limits.target, 'x')), 0) << "may still end in time";
  EXPECT_EQ(status_of("GET /" + std::string(limits.target + 60, 'x')), 414);
  EXPECT_EQ(status_of("GET /" + std::string(limits.target, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n"),
            414);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(limits.head, 'x')), 431);
  EXPECT_EQ(
      status_of("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(limits.head, 'x') + "\r\n\r\n"),
      431);
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (std::size_t i = 1; i < limits.fields; ++i) many += "X: y\r\n";
  EXPECT_EQ(status_of(many + "\r\n"), 0);
  EXPECT_EQ(status_of(many + "X: y\r\n\r\n"), 431);
}

TEST(RequestParser, BoundsChunkedBodies) {
  HttpLimits limits;
  limits.body = 10;
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(read(head + "a\r\n0123456789\r\n0\r\n\r\n", 1, limits).requests.at(0).body.size(), 10U);
  EXPECT_EQ(read(head + "b\r\n0123456789x\r\n0\r\n\r\n", 1, limits).status, 413);
  EXPECT_EQ(read(head + "5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n", 1, limits).status, 413);
  EXPECT_EQ(read(head + "1;" + std::string(2'000, 'x'), 1).status, 400);
  EXPECT_EQ(read(head + std::string(2'000, '0'), 1, limits).status, 413) << "zeros without end";
}

}  // namespace
}  // namespace sluice::health
