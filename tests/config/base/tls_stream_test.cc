#include "config/base/tls_stream.h"

#include "tests/config/base/tls_client.h"

namespace sluice::base {
namespace {

using testing::Certified;
using testing::TlsClient;
using State = TlsStream::State;
using Failure = TlsStream::Failure;

class TlsStreamTest : public ::testing::Test {
 protected:
  enum class Ask : std::uint8_t { Nobody, Who, Everybody };

  std::shared_ptr<const TlsContext> context(Ask ask = Ask::Nobody) {
    TlsFiles files;
    files.certificate = folder_.put("api.crt", server_.certificate_pem());
    files.key = folder_.put("api.key", server_.key_pem());
    if (ask != Ask::Nobody) files.client_ca = folder_.put("ca.crt", authority_.certificate_pem());
    const auto loaded = TlsContext::load(
        files, ask == Ask::Who ? ClientCertificates::Optional : ClientCertificates::Required,
        std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
    EXPECT_TRUE(loaded) << loaded.error().front().message;
    return *loaded;
  }

  // Until neither has anything to say; `piece`: octets that arrive at once. The server's state.
  State talk(TlsStream& server, std::string octets = {}, std::size_t piece = std::string::npos) {
    if (octets.empty()) octets = client_.go_on({});
    while (!octets.empty()) {
      std::string out;
      for (std::size_t at = 0; at < octets.size(); at += std::min(piece, octets.size())) {
        server.receive(std::string_view(octets).substr(at, piece), heard_, out);
        if (piece == std::string::npos) break;
      }
      octets = client_.go_on(out);
    }
    return server.state();
  }

  testing::Folder folder_;
  Certified authority_{{.subject = "authority"}};
  Certified server_{{.subject = "api", .names = "DNS:api.example"}, authority_};
  Certified agent_{{.subject = "agent", .names = "DNS:fe01.pool.example"}, authority_};
  TlsClient client_;
  std::string heard_;
};

TEST_F(TlsStreamTest, CarriesWhatBothSay) {
  TlsStream server(context());
  EXPECT_EQ(talk(server), State::Open);
  EXPECT_TRUE(client_.connected());
  EXPECT_FALSE(server.resumed());
  EXPECT_EQ(server.client(), nullptr);
  talk(server, client_.say("GET / HTTP/1.1"));
  EXPECT_EQ(heard_, "GET / HTTP/1.1");
  std::string out;
  const std::string large(1'000'000, 'x');
  server.send(large, out);
  EXPECT_LT(out.size(), large.size() + large.size() / 256 + 64);
  client_.go_on(out);
  EXPECT_EQ(client_.received(), large);
}

TEST_F(TlsStreamTest, TakesOctetsOneByOneInBothVersions) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient fresh;
    TlsStream server(context(Ask::Everybody));
    client_.speak(version);
    client_.show(agent_);
    EXPECT_EQ(talk(server, {}, 1), State::Open);
    EXPECT_EQ(SSL_version(client_.native()), version);
    heard_.clear();
    std::string octets = client_.say("hello");
    octets += client_.say(" there");
    talk(server, octets, 1);
    EXPECT_EQ(heard_, "hello there");
  }
}

TEST_F(TlsStreamTest, CutAnywhereSaysWhatCameBefore) {
  TlsStream server(context());
  ASSERT_EQ(talk(server), State::Open);
  std::string octets = client_.say("one");
  octets += client_.say("two");
  // Nothing of a record is told before all of it is there.
  std::string out;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    server.receive(std::string_view(octets).substr(i, 1), heard_, out);
    EXPECT_TRUE(heard_.empty() || heard_ == "one" || heard_ == "onetwo") << heard_;
  }
  EXPECT_EQ(heard_, "onetwo");
  EXPECT_EQ(server.state(), State::Open) << "an end without a goodbye is for the socket to tell";
}

TEST_F(TlsStreamTest, TellsTheEndFromACut) {
  TlsStream server(context());
  talk(server);
  std::string octets = client_.say("last words");
  octets += client_.goodbye();
  EXPECT_EQ(talk(server, octets), State::PeerEnded);
  EXPECT_EQ(heard_, "last words");
  // It may still be told something, and then the end.
  std::string out;
  server.send("answer", out);
  server.end(out);
  server.end(out);
  client_.go_on(out);
  EXPECT_EQ(client_.received(), "answer");
  EXPECT_TRUE(client_.told_goodbye());
}

TEST_F(TlsStreamTest, RefusesGarbage) {
  for (const std::string& garbage :
       {std::string("\x16\x03\x01\x00\x05hello", 10), std::string(100, '\0'),
        std::string("\x16\x03\x01\xff\xff\x01\x00", 7),
        std::string("\x15\x03\x01\x00\x02\x02\x28", 7), std::string("SSH-2.0-x\r\n")}) {
    TlsStream server(context());
    std::string out;
    EXPECT_EQ(server.receive(garbage, heard_, out), State::Failed)
        << static_cast<int>(garbage[0]) << ' ' << garbage.size();
    EXPECT_EQ(server.failure(), garbage[0] == 'S' ? Failure::PlainHttp : Failure::Protocol);
    EXPECT_EQ(server.receive("more", heard_, out), State::Failed);
    server.end(out);
    EXPECT_EQ(heard_, "");
  }
}

// A peer may break TLS in the segment in which it asked.
TEST_F(TlsStreamTest, SendsNothingAfterAFailure) {
  TlsStream server(context());
  talk(server);
  const std::string octets =
      client_.say("question") + std::string("\x17\x03\x03\0\x20", 5) + std::string(32, '\0');
  EXPECT_EQ(talk(server, octets), State::Failed);
  EXPECT_EQ(heard_, "question");
  std::string out;
  server.send("answer", out);
  server.end(out);
  EXPECT_EQ(out, "");
}

TEST_F(TlsStreamTest, RefusesAChangedRecord) {
  TlsStream server(context());
  talk(server);
  std::string octets = client_.say("pay 10");
  octets[octets.size() - 3] = static_cast<char>(octets[octets.size() - 3] ^ 1);
  EXPECT_EQ(talk(server, octets), State::Failed);
  EXPECT_EQ(heard_, "");
  EXPECT_TRUE(server.opened());
}

TEST_F(TlsStreamTest, KnowsARequestWithoutTls) {
  TlsStream server(context());
  std::string out;
  EXPECT_EQ(server.receive("GET /healthz HTTP/1.1\r\n", heard_, out), State::Failed);
  EXPECT_EQ(server.failure(), Failure::PlainHttp);
  EXPECT_EQ(out, "");
}

TEST_F(TlsStreamTest, SpeaksNoOldVersion) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    TlsStream server(context());
    client_.speak(version);
    EXPECT_EQ(talk(server), State::Failed);
    EXPECT_FALSE(client_.connected());
  }
}

TEST_F(TlsStreamTest, SpeaksNoWeakCipher) {
  for (const char* ciphers :
       {"AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA", "DHE", "PSK",
        "aNULL:eNULL:@SECLEVEL=0", "3DES:RC4:@SECLEVEL=0"}) {
    TlsStream server(context());
    client_.speak(TLS1_2_VERSION);
    if (SSL_set_cipher_list(client_.native(), ciphers) != 1) continue;
    EXPECT_EQ(talk(server), State::Failed) << ciphers;
  }
}

TEST_F(TlsStreamTest, ChoosesAmongTheGoodOnes) {
  TlsStream server(context());
  client_.speak(TLS1_2_VERSION);
  SSL_set_cipher_list(client_.native(),
                      "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256");
  EXPECT_EQ(talk(server), State::Open);
  EXPECT_STREQ(SSL_get_cipher(client_.native()), "ECDHE-ECDSA-AES128-GCM-SHA256");
}

TEST_F(TlsStreamTest, AnswersForHttpAlone) {
  const auto ask = [this](std::string_view protocols) {
    TlsStream server(context());
    client_.again();
    SSL_set_alpn_protos(client_.native(), reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
    const State state = talk(server);
    const unsigned char* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(client_.native(), &chosen, &size);
    return std::pair(state, std::string(reinterpret_cast<const char*>(chosen), size));
  };
  EXPECT_EQ(ask("\x02h2\x08http/1.1"), std::pair(State::Open, std::string("http/1.1")));
  EXPECT_EQ(ask("\x02h2").first, State::Failed);
}

TEST_F(TlsStreamTest, KnowsWhoShowsACertificate) {
  for (const Ask ask : {Ask::Everybody, Ask::Who}) {
    TlsStream server(context(ask));
    client_.show(agent_);
    ASSERT_EQ(talk(server), State::Open);
    ASSERT_NE(server.client(), nullptr);
    EXPECT_EQ(server.client()->names, (std::vector{subject_name("fe01.pool.example")}));
    EXPECT_EQ(server.client()->not_after, *not_after(agent_.certificate()));
  }
}

TEST_F(TlsStreamTest, AsksForACertificate) {
  TlsStream optional(context(Ask::Who));
  EXPECT_EQ(talk(optional), State::Open);
  EXPECT_EQ(optional.client(), nullptr);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsStream required(context(Ask::Everybody));
    client_.speak(version);
    EXPECT_EQ(talk(required), State::Failed);
    EXPECT_EQ(required.failure(), Failure::ClientCertificate);
    EXPECT_FALSE(required.opened());
  }
}

TEST_F(TlsStreamTest, RefusesCertificatesThatItDoesNotTrust) {
  const Certified stranger({.subject = "authority"});
  const Certified strangers_agent({.names = "DNS:fe01.pool.example"}, stranger);
  const Certified over({.names = "DNS:a", .end = -std::chrono::minutes(1)}, authority_);
  const Certified early({.names = "DNS:a", .begin = std::chrono::hours(1)}, authority_);
  const Certified own({.names = "DNS:a"});
  for (const Certified* shown : {&strangers_agent, &over, &early, &own}) {
    for (const Ask ask : {Ask::Everybody, Ask::Who}) {
      TlsStream server(context(ask));
      client_.show(*shown);
      EXPECT_EQ(talk(server), State::Failed);
      EXPECT_EQ(server.failure(), Failure::ClientCertificate);
    }
  }
}

TEST_F(TlsStreamTest, GoesOnWithASession) {
  const auto shared = context(Ask::Everybody);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    client_.speak(version);
    client_.show(agent_);
    TlsStream first(shared);
    ASSERT_EQ(talk(first), State::Open);
    ASSERT_TRUE(client_.has_session());
    client_.again();
    TlsStream second(shared);
    ASSERT_EQ(talk(second), State::Open);
    EXPECT_TRUE(second.resumed());
    ASSERT_NE(second.client(), nullptr);
    EXPECT_EQ(second.client()->names, (std::vector{subject_name("fe01.pool.example")}));
    // Another context has other keys: the certificate is shown again.
    client_.again();
    TlsStream third(context(Ask::Everybody));
    ASSERT_EQ(talk(third), State::Open);
    EXPECT_FALSE(third.resumed());
    EXPECT_NE(third.client(), nullptr);
  }
}

TEST_F(TlsStreamTest, NeverNegotiatesAgain) {
  TlsStream server(context());
  client_.speak(TLS1_2_VERSION);
  talk(server);
  SSL_renegotiate(client_.native());
  talk(server, client_.go_on({}));
  std::string out;
  heard_.clear();
  // The client is told no, and what it was told before goes on.
  EXPECT_TRUE(server.state() == State::Open || server.state() == State::Failed);
  EXPECT_EQ(SSL_session_reused(client_.native()), 0);
}

}  // namespace
}  // namespace sluice::base
