#include "tools/sluice-agent/checks/sip_message.h"

#include <gtest/gtest.h>

namespace sluice::agent {
namespace {

using Transport = config::SipCheck::Transport;

const base::SocketAddress kTarget = *base::SocketAddress::parse("192.0.2.1@5060");
const base::SocketAddress kLocal = *base::SocketAddress::parse("192.0.2.9@40000");
const SipIdentity kIdentity{"b1", "c1", "t1"};

std::string response(const std::string& status, const std::string& more = "") {
  return "SIP/2.0 " + status +
         "\r\nVia: SIP/2.0/UDP 192.0.2.9:40000;rport=40000;branch=z9hG4bKb1\r\n"
         "CSeq: 1 OPTIONS\r\n" +
         more + "\r\n";
}

TEST(SipOptions, HasEveryHeaderThatARequestMustHave) {
  const std::string request = sip_options(kTarget, kLocal, Transport::Udp, kIdentity);
  EXPECT_EQ(request.find("OPTIONS sip:192.0.2.1:5060 SIP/2.0\r\n"), 0U);
  // RFC 3261 section 8.1.1: To, From, CSeq, Call-ID, Max-Forwards and Via.
  for (const char* line :
       {"\r\nVia: SIP/2.0/UDP 192.0.2.9:40000;branch=z9hG4bKb1;rport\r\n",
        "\r\nMax-Forwards: 70\r\n", "\r\nTo: <sip:192.0.2.1:5060>\r\n",
        "\r\nFrom: <sip:sluice-agent@192.0.2.9:40000>;tag=t1\r\n", "\r\nCall-ID: c1\r\n",
        "\r\nCSeq: 1 OPTIONS\r\n", "\r\nContent-Length: 0\r\n"}) {
    EXPECT_NE(request.find(line), std::string::npos) << line;
  }
  EXPECT_TRUE(request.ends_with("\r\n\r\n"));
  EXPECT_EQ(sip_message_size(request), request.size());
}

TEST(SipOptions, NamesItsTransportAndBracketsIpv6) {
  const std::string request = sip_options(*base::SocketAddress::parse("2001:db8::1@5060"), kLocal,
                                          Transport::Tcp, kIdentity);
  EXPECT_EQ(request.find("OPTIONS sip:[2001:db8::1]:5060;transport=tcp SIP/2.0\r\n"), 0U);
  EXPECT_NE(request.find("Via: SIP/2.0/TCP "), std::string::npos);
}

TEST(ParseSipResponse, ReadsStatusBranchAndMethod) {
  const auto read = parse_sip_response(response("503 Service Unavailable"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->status, 503U);
  EXPECT_EQ(read->reason, "Service Unavailable");
  EXPECT_EQ(read->branch, "b1");
  EXPECT_EQ(read->method, "OPTIONS");
}

TEST(ParseSipResponse, TakesOtherCasesCompactFormsAndFoldedLines) {
  const auto read = parse_sip_response(
      "sip/2.0 200 OK\r\n"
      "v: SIP/2.0/UDP 192.0.2.9:40000\r\n"
      "  ; Branch = z9hG4bKb1 ;received=192.0.2.9, SIP/2.0/UDP other;branch=z9hG4bKx\r\n"
      "cseq:  1\tOPTIONS\r\n\r\n");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->branch, "b1");
  EXPECT_EQ(read->method, "OPTIONS");
}

TEST(ParseSipResponse, RefusesWhatIsNoResponse) {
  EXPECT_FALSE(parse_sip_response(""));
  EXPECT_FALSE(parse_sip_response("\r\n\r\n"));
  EXPECT_FALSE(parse_sip_response("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_FALSE(parse_sip_response(sip_options(kTarget, kLocal, Transport::Udp, kIdentity)));
  EXPECT_FALSE(parse_sip_response(response("099 Low")));
  EXPECT_FALSE(parse_sip_response(response("700 High")));
  EXPECT_FALSE(parse_sip_response(response("2x0 OK")));
  EXPECT_FALSE(parse_sip_response("SIP/2.0 200 OK\r\n\r\n")) << "nothing says whose answer it is";
}

TEST(ParseSipResponse, BearsEveryTruncation) {
  const std::string whole = response("200 OK");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_sip_response(std::string_view(whole).substr(0, size))) << size;
  }
}

TEST(SipMessageSize, WaitsForTheWholeMessage) {
  const std::string whole = response("200 OK", "l: 3\r\n") + "abc";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(sip_message_size(std::string_view(whole).substr(0, size))) << size;
  }
  EXPECT_EQ(sip_message_size(whole), whole.size());
  EXPECT_EQ(sip_message_size(whole + response("180 x")), whole.size());
  EXPECT_EQ(sip_message_size("\r\n\r\n" + whole), whole.size() + 4);
}

TEST(SipMessageSize, ABlankThatBeginsTheBodyContinuesNoHeader) {
  for (const char* body : {" bc", "\tbc"}) {
    const std::string whole = response("200 OK", "Content-Length: 3\r\n") + body;
    EXPECT_EQ(sip_message_size(whole), whole.size());
    EXPECT_TRUE(parse_sip_response(whole));
  }
}

TEST(SipMessageSize, AHeaderMayEndInAFoldedBlankLine) {
  const std::string whole = response("200 OK", "Content-Length: 2\r\nSubject: a\r\n \r\n") + "xy";
  EXPECT_EQ(sip_message_size(whole + "SIP/2.0"), whole.size());
}

}  // namespace
}  // namespace sluice::agent
