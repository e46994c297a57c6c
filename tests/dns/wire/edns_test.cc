#include "dns/wire/edns.h"

#include <algorithm>
#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace sluice::dns {
namespace {

// What follows owner and TYPE.
std::vector<std::uint8_t> opt(std::uint16_t payload, std::uint8_t version, std::uint16_t flags,
                              const std::vector<std::uint8_t>& options) {
  std::vector<std::uint8_t> wire(8 + options.size());
  store_u16(wire.data(), payload);
  wire[3] = version;
  store_u16(wire.data() + 4, flags);
  store_u16(wire.data() + 6, static_cast<std::uint16_t>(options.size()));
  std::ranges::copy(options, wire.begin() + 8);
  return wire;
}

base::Result<Edns, EdnsError> read(const std::vector<std::uint8_t>& wire) {
  WireReader reader(wire);
  return read_opt(reader);
}

TEST(ReadOpt, ReadsPayloadVersionAndDO) {
  const auto edns = read(opt(1232, 0, 0x8000, {}));
  ASSERT_TRUE(edns);
  EXPECT_EQ(edns->payload, 1232);
  EXPECT_EQ(edns->version, 0);
  EXPECT_TRUE(edns->dnssec_ok);
  EXPECT_FALSE(read(opt(1232, 0, 0x7FFF, {}))->dnssec_ok);
}

TEST(ReadOpt, TakesPayloadsBelow512As512) {  // RFC 6891 section 6.2.3
  EXPECT_EQ(read(opt(0, 0, 0, {}))->payload, 512);
  EXPECT_EQ(read(opt(511, 0, 0, {}))->payload, 512);
  EXPECT_EQ(read(opt(513, 0, 0, {}))->payload, 513);
}

TEST(ReadOpt, IgnoresUnknownOptions) {  // RFC 6891 section 6.1.2
  EXPECT_TRUE(read(opt(512, 0, 0, {0xFF, 0xFF, 0, 2, 1, 2, 0, 3, 0, 0})));
}

TEST(ReadOpt, RejectsOptionsThatDoNotFillRdlength) {
  const std::vector<std::uint8_t> options = {0, 10, 0, 3, 1, 2, 3};
  for (std::size_t size = 1; size < options.size(); ++size) {
    EXPECT_FALSE(read(opt(512, 0, 0, {options.begin(), options.begin() + static_cast<long>(size)})))
        << size;
  }
  EXPECT_TRUE(read(opt(512, 0, 0, options)));
}

TEST(ReadOpt, RejectsEveryTruncation) {
  const auto whole = opt(512, 0, 0, {0, 10, 0, 1, 9});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read({whole.begin(), whole.begin() + static_cast<long>(size)})) << size;
  }
}

TEST(ReadOpt, DoesNotJudgeTheOptionsOfALaterVersion) {
  const auto edns = read(opt(512, 1, 0, {1, 2, 3}));
  ASSERT_TRUE(edns);
  EXPECT_EQ(edns->version, 1);
}

TEST(WriteOpt, IsReadBackAndCarriesTheUpperBitsOfTheRcode) {
  std::array<std::uint8_t, kOptOctets> wire{};
  write_opt(wire.data(), 1400, Rcode::BadVers, true);
  EXPECT_EQ(wire[5], 1) << "BADVERS is 16";
  const auto edns = read({wire.begin() + 3, wire.end()});
  ASSERT_TRUE(edns);
  EXPECT_EQ(edns->payload, 1400);
  EXPECT_TRUE(edns->dnssec_ok);
}

}  // namespace
}  // namespace sluice::dns
