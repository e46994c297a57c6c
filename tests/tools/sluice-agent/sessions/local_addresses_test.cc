#include "tools/sluice-agent/sessions/local_addresses.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace sluice::agent {
namespace {

TEST(LocalAddresses, HaveAllOfTheLoopbackAndNothingOfOthers) {
  const auto prefixes = local_addresses();
  ASSERT_TRUE(prefixes) << prefixes.error().message;
  const auto has = [&](const char* text) {
    return std::any_of(prefixes->begin(), prefixes->end(), [&](const base::Prefix& prefix) {
      return prefix.contains(*base::IpAddress::parse(text));
    });
  };
  EXPECT_TRUE(has("127.0.0.1"));
  EXPECT_TRUE(has("127.200.3.4"));
  EXPECT_FALSE(has("192.0.2.1"));
  EXPECT_FALSE(has("2001:db8::1"));
}

}  // namespace
}  // namespace sluice::agent
