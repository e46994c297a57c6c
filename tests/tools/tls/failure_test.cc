#include "tools/tls/failure.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <openssl/x509.h>

namespace sluice::tls {
namespace {

using testing::HasSubstr;

Explanation explained(CURLcode code, const std::string& words,
                      const std::string& url = "https://ns1.example:8443/v1/pools", long verify = 0,
                      bool shown = false, bool ca = true) {
  Failed failed;
  failed.code = code;
  failed.words = words;
  failed.url = url;
  failed.verify_result = verify;
  failed.names = {"ns2.example", "192.0.2.2"};
  failed.certificate_shown = shown;
  failed.ca_given = ca;
  return explain(failed, {"--ca", "--certificate"});
}

TEST(Explain, SaysWhoseCertificateItWas) {
  const Explanation why = explained(CURLE_PEER_FAILED_VERIFICATION, "SSL: no alternative ...");
  EXPECT_EQ(why.reason, Reason::WrongName);
  EXPECT_THAT(why.text,
              HasSubstr("its certificate is for ns2.example, 192.0.2.2, not for ns1.example:"));
  EXPECT_THAT(explained(CURLE_PEER_FAILED_VERIFICATION, "", "https://[2001:db8::1]:1").text,
              HasSubstr("not for 2001:db8::1:"));
}

TEST(Explain, SaysWhichNameWasLookedForInPlaceOfTheUrls) {
  Failed failed;
  failed.code = CURLE_PEER_FAILED_VERIFICATION;
  failed.url = "https://127.0.0.1:5061";
  failed.name = "front.example";
  failed.names = {"other.example"};
  EXPECT_THAT(explain(failed, {"ca", "certificate"}).text,
              HasSubstr("for other.example, not for front.example: is that name right?"));
}

TEST(Explain, TellsWhomToTrustFromWhoIsNotTheOne) {
  const auto why = [](bool ca) {
    return explained(CURLE_PEER_FAILED_VERIFICATION, "", "https://a",
                     X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, false, ca);
  };
  EXPECT_EQ(why(true).reason, Reason::NotTrusted);
  EXPECT_THAT(why(true).text, HasSubstr("not signed by an authority in the file that --ca names"));
  EXPECT_THAT(why(false).text, HasSubstr("--ca names the file of the authority"));
  const auto expired =
      explained(CURLE_PEER_FAILED_VERIFICATION, "", "https://a", X509_V_ERR_CERT_HAS_EXPIRED);
  EXPECT_EQ(expired.reason, Reason::NotValidNow);
}

TEST(Explain, KnowsThePeersWordOnOurs) {
  const auto why = [](const char* alert, bool shown) {
    return explained(
        CURLE_RECV_ERROR,
        std::string("OpenSSL SSL_read: error:0A00045C:SSL routines::") + alert + ", errno 0",
        "https://a", 0, shown);
  };
  EXPECT_EQ(why("tlsv13 alert certificate required", false).reason, Reason::NotTaken);
  EXPECT_THAT(why("tlsv13 alert certificate required", false).text,
              HasSubstr("wants to see a client certificate"));
  EXPECT_THAT(why("tlsv1 alert unknown ca", true).text, HasSubstr("api.tls.client_ca"));
  EXPECT_THAT(why("sslv3 alert certificate expired", true).text, HasSubstr("has expired"));
  EXPECT_EQ(why("tlsv1 alert internal error", true).reason, Reason::Handshake);
  EXPECT_THAT(explained(CURLE_SEND_ERROR, "Broken pipe", "https://a", 0, true).text,
              HasSubstr("perhaps it does not take the certificate"));
  EXPECT_THAT(explained(CURLE_SEND_ERROR, "Connection reset by peer").text,
              HasSubstr("if it wants a client certificate, --certificate names one"));
}

TEST(Explain, KnowsTheOtherScheme) {
  EXPECT_EQ(explained(CURLE_SSL_CONNECT_ERROR, "error:0A00010B:SSL routines::wrong version number")
                .reason,
            Reason::NotTls);
  EXPECT_EQ(explained(CURLE_UNSUPPORTED_PROTOCOL, "Received HTTP/0.9 when not allowed", "http://a")
                .reason,
            Reason::MaybeTls);
  for (const CURLcode code : {CURLE_GOT_NOTHING, CURLE_RECV_ERROR}) {
    EXPECT_EQ(explained(code, "closed or reset", "http://a").reason, Reason::Silent);
  }
}

TEST(Explain, LeavesAloneWhatIsNothingOfTls) {
  EXPECT_EQ(explained(CURLE_COULDNT_CONNECT, "refused").reason, Reason::Other);
  EXPECT_EQ(explained(CURLE_OPERATION_TIMEDOUT, "late").reason, Reason::Other);
  EXPECT_EQ(explained(CURLE_PARTIAL_FILE, "cut", "http://a").reason, Reason::Other);
  Failed later;
  later.code = CURLE_RECV_ERROR;
  later.url = "https://a";
  later.answered = true;
  EXPECT_EQ(explain(later, {"--ca", "--certificate"}).reason, Reason::Other);
}

}  // namespace
}  // namespace sluice::tls
