#include "config/url.h"

#include <gtest/gtest.h>

namespace sluice::config {
namespace {

TEST(Url, AHostIsANameOrAnAddress) {
  for (const char* good :
       {"http://a", "http://authority.example:8053", "http://127.0.0.1", "http://[::1]:8053",
        "http://0x.example", "http://1.2.3.4.example", "http://4you", "http://0xyz"}) {
    EXPECT_TRUE(check_web_url(good)) << good;
  }
}

// libcurl would ask 127.0.0.1, whatever DNS says of that name.
TEST(Url, AnAddressInAnOddFormIsNone) {
  for (const char* odd : {"http://127.1", "http://0x7f.0.0.1", "http://127.0.0.0x1", "http://1",
                          "http://0X7F000001/", "http://a.1:80", "http://127.1.", "http://0x"}) {
    const auto url = check_web_url(odd);
    ASSERT_FALSE(url) << odd;
    EXPECT_NE(url.error().find("a name, an IPv4 address or [an IPv6 address]"), std::string::npos)
        << url.error();
  }
}

}  // namespace
}  // namespace sluice::config
