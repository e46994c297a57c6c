#include "tools/sluicectl/api/endpoint.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"

namespace sluice::ctl {
namespace {

Endpoint url(const std::string& where) {
  return {Endpoint::Kind::Url, where};
}
Endpoint socket(const std::string& where) {
  return {Endpoint::Kind::Socket, where};
}

Connection api(const std::string& where) {
  return {.api = where, .socket = {}, .token_file = {}};
}
Connection path(const std::string& where) {
  return {.api = {}, .socket = where, .token_file = {}};
}

std::vector<Endpoint> chosen(const Connection& given, const Connection& environment) {
  const auto endpoints = endpoints_of(given, environment);
  EXPECT_TRUE(endpoints);
  return endpoints ? *endpoints : std::vector<Endpoint>{};
}

TEST(Endpoints, TheLocalSocketAndThenTheLocalPortWhenNothingIsSaid) {
  EXPECT_EQ(chosen({}, {}),
            (std::vector{socket("/run/sluice/sluice.sock"), url("http://127.0.0.1:8053")}));
}

TEST(Endpoints, TheCommandLineGoesBeforeTheEnvironmentAsAWhole) {
  const Connection both{.api = "http://env", .socket = "/env", .token_file = {}};
  EXPECT_EQ(chosen(api("http://line"), both), std::vector{url("http://line")});
  EXPECT_EQ(chosen(path("/line"), both), std::vector{socket("/line")});
  EXPECT_EQ(chosen({}, both), std::vector{socket("/env")});
  EXPECT_EQ(chosen({}, api("https://env:1")), std::vector{url("https://env:1")});
}

TEST(Endpoints, ATokenFileAloneSaysNothingAboutWhere) {
  const Connection file{.api = {}, .socket = {}, .token_file = "t"};
  EXPECT_EQ(chosen(file, path("/env")), std::vector{socket("/env")});
}

TEST(Endpoints, SeveralUrlsAreRespondersInTheirOrderNoneTwice) {
  const std::vector both{url("http://ns1:8053"), url("https://ns2")};
  EXPECT_EQ(chosen(api("http://ns1:8053 https://ns2/"), {}), both);
  EXPECT_EQ(chosen({}, api("  http://ns1:8053\thttps://ns2 http://ns1:8053/ ")), both);
  EXPECT_FALSE(endpoints_of(api("http://ns1 nosuch"), {}));
  EXPECT_FALSE(endpoints_of(api("  "), {}));
}

TEST(Endpoints, ASlashAtTheEndOfAUrlIsDropped) {
  EXPECT_EQ(chosen(api("http://[::1]:8053/"), {}), std::vector{url("http://[::1]:8053")});
  EXPECT_EQ(chosen(api("https://a/sluice//"), {}), std::vector{url("https://a/sluice")});
}

TEST(Endpoints, RefusesWhatIsNoUrlOfAnAuthority) {
  for (const char* text :
       {"127.0.0.1:8053", "ftp://a", "file:///etc/shadow", "http://", "http://u@a", "http://u:p@a",
        "http://a/?token=x", "http://a/#x", "http://a b", "http://a:99999", "HTTP"}) {
    EXPECT_FALSE(endpoints_of(api(text), {})) << text;
  }
}

TEST(Endpoints, ASocketsPathMayBeAsLongAsTheKernelTakesIt) {
  EXPECT_TRUE(endpoints_of(path(std::string(107, 'x')), {}));
  EXPECT_FALSE(endpoints_of(path(std::string(108, 'x')), {}));
}

TEST(TlsFiles, ComeFromTheLineOrElseFromTheEnvironmentAndInPairs) {
  const std::vector<Endpoint> https{url("https://a")};
  Connection theirs{.api = {}, .socket = {}, .token_file = {}};
  theirs.ca = "env-ca";
  theirs.certificate = "env-pem";
  theirs.key = "env-key";
  EXPECT_EQ(*tls_files_of({}, theirs, https), (tls::Files{"env-pem", "env-key", "env-ca"}));
  Connection mine{.api = {}, .socket = {}, .token_file = {}};
  mine.ca = "ca";
  EXPECT_EQ(*tls_files_of(mine, theirs, https), (tls::Files{"env-pem", "env-key", "ca"}));
  mine.certificate = "pem";
  EXPECT_EQ(tls_files_of(mine, theirs, https).error(),
            "--certificate needs --key, the file of its key");
  mine.key = "key";
  EXPECT_EQ(*tls_files_of(mine, theirs, https), (tls::Files{"pem", "key", "ca"}));
  theirs.key.clear();
  EXPECT_EQ(tls_files_of({}, theirs, https).error(), "SLUICE_CERTIFICATE needs SLUICE_KEY");
}

TEST(TlsFiles, AreForHttpsAlone) {
  Connection some{.api = {}, .socket = {}, .token_file = {}};
  some.ca = "ca";
  for (const Endpoint& endpoint : {url("http://a"), socket("/run/sluice.sock")}) {
    EXPECT_EQ(*tls_files_of({}, some, {endpoint}), tls::Files{});
    EXPECT_FALSE(tls_files_of(some, {}, {endpoint}));
  }
}

TEST(TravelsInTheClear, WhatIsNeitherTlsNorLoopbackNorASocket) {
  EXPECT_TRUE(travels_in_the_clear(url("http://192.0.2.1:8053")));
  EXPECT_TRUE(travels_in_the_clear(url("http://ns1.example")));
  EXPECT_FALSE(travels_in_the_clear(url("https://ns1.example")));
  EXPECT_FALSE(travels_in_the_clear(url("http://[::1]:8053")));
  EXPECT_FALSE(travels_in_the_clear(socket("/a")));
}

class TokenFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "sluicectl-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  base::Result<std::string, std::string> read(const std::string& octets) {
    const std::string file = folder_ / "token";
    std::ofstream(file, std::ios::binary) << octets;
    return read_token(file);
  }

  std::filesystem::path folder_;
};

TEST_F(TokenFile, HoldsOneLine) {
  EXPECT_EQ(*read("operations-token"), "operations-token");
  EXPECT_EQ(*read("operations-token\n"), "operations-token");
  EXPECT_EQ(*read("operations-token\r\n\n"), "operations-token");
}

TEST_F(TokenFile, CannotSmuggleAHeader) {
  for (const char* octets :
       {"", "\n", "a b", "a\nX-Evil: 1", "a\r\nb", "a\tb", "\x7f", "\xc3\xa4"}) {
    EXPECT_FALSE(read(octets)) << octets;
  }
  EXPECT_FALSE(read(std::string("a\0b", 3)));
  EXPECT_FALSE(read(std::string(4096, 'x')));
  EXPECT_TRUE(read(std::string(4095, 'x')));
}

TEST_F(TokenFile, ThatCannotBeReadSaysWhy) {
  EXPECT_NE(read_token(folder_ / "none").error().find("No such file"), std::string::npos);
  EXPECT_NE(read_token(folder_).error().find("Is a directory"), std::string::npos);
}

}  // namespace
}  // namespace sluice::ctl
