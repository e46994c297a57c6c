#include "health/etcd/base64.h"

#include <gtest/gtest.h>

namespace sluice::etcd {
namespace {

// RFC 4648 section 10.
TEST(Base64, WritesAndReadsTheStandardsExamples) {
  const std::pair<std::string, std::string> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [octets, text] : examples) {
    EXPECT_EQ(to_base64(octets), text);
    EXPECT_EQ(from_base64(text), octets);
  }
}

TEST(Base64, CarriesEveryOctetAtEveryPlace) {
  for (int octet = 0; octet < 256; ++octet) {
    for (std::size_t place = 0; place < 4; ++place) {
      std::string octets(4, '\0');
      octets[place] = static_cast<char>(octet);
      EXPECT_EQ(from_base64(to_base64(octets)), octets);
    }
  }
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text :
       {"Zg=", "Zg", "Z", "Z===", "====", "Zg==Zg==", "Zm9=v", "Zm 9", "Zm9-", "Zm9v\n", "=Zm9"}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
}

}  // namespace
}  // namespace sluice::etcd
