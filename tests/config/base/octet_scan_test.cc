#include "config/base/octet_scan.h"

#include <string>

#include <gtest/gtest.h>

namespace sluice::base {
namespace {

// The same by one octet after the other.
std::size_t plain_octets_one_by_one(std::string_view text) {
  std::size_t size = 0;
  for (const char c : text) {
    if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') break;
    ++size;
  }
  return size;
}

TEST(OctetScan, FindsTheFirstOfEveryOctetAtEveryPlace) {
  for (int octet = 0; octet < 256; ++octet) {
    for (std::size_t size = 0; size <= 20; ++size) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, 'z');
        text[at] = static_cast<char>(octet);
        ASSERT_EQ(plain_json_octets(text), plain_octets_one_by_one(text))
            << "octet " << octet << " at " << at << " of " << size;
      }
    }
  }
}

TEST(OctetScan, FindsTheFirstOfTwo) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      std::string text(12, '~');
      text[3] = static_cast<char>(first);
      text[4] = static_cast<char>(second);
      ASSERT_EQ(plain_json_octets(text), plain_octets_one_by_one(text)) << first << ' ' << second;
    }
  }
}

TEST(OctetScan, OfNothingIsNothing) {
  EXPECT_EQ(plain_json_octets(""), 0U);
}

}  // namespace
}  // namespace sluice::base
