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

base::Result<Edns, EdnsError> read_edns(const std::vector<std::uint8_t>& wire) {
  WireReader reader(wire);
  return read_opt(reader);
}

TEST(ReadOpt, ReadsPayloadVersionAndDO) {
  const auto edns = read_edns(opt(1232, 0, 0x8000, {}));
  ASSERT_TRUE(edns);
  EXPECT_EQ(edns->payload, 1232);
  EXPECT_EQ(edns->version, 0);
  EXPECT_TRUE(edns->dnssec_ok);
  EXPECT_FALSE(read_edns(opt(1232, 0, 0x7FFF, {}))->dnssec_ok);
}

TEST(ReadOpt, TakesPayloadsBelow512As512) {  // RFC 6891 section 6.2.3
  EXPECT_EQ(read_edns(opt(0, 0, 0, {}))->payload, 512);
  EXPECT_EQ(read_edns(opt(511, 0, 0, {}))->payload, 512);
  EXPECT_EQ(read_edns(opt(513, 0, 0, {}))->payload, 513);
}

TEST(ReadOpt, IgnoresUnknownOptions) {  // RFC 6891 section 6.1.2
  EXPECT_TRUE(read_edns(opt(512, 0, 0, {0xFF, 0xFF, 0, 2, 1, 2, 0, 3, 0, 0})));
}

TEST(ReadOpt, RejectsOptionsThatDoNotFillRdlength) {
  const std::vector<std::uint8_t> options = {0, 10, 0, 3, 1, 2, 3};
  for (std::size_t size = 1; size < options.size(); ++size) {
    EXPECT_FALSE(
        read_edns(opt(512, 0, 0, {options.begin(), options.begin() + static_cast<long>(size)})))
        << size;
  }
  EXPECT_TRUE(read_edns(opt(512, 0, 0, options)));
}

TEST(ReadOpt, RejectsEveryTruncation) {
  const auto whole = opt(512, 0, 0, {0, 10, 0, 1, 9});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(read_edns({whole.begin(), whole.begin() + static_cast<long>(size)})) << size;
  }
}

TEST(ReadOpt, DoesNotJudgeTheOptionsOfALaterVersion) {
  const auto edns = read_edns(opt(512, 1, 0, {1, 2, 3}));
  ASSERT_TRUE(edns);
  EXPECT_EQ(edns->version, 1);
}

std::vector<std::uint8_t> option(OptionCode code, const std::vector<std::uint8_t>& data) {
  std::vector<std::uint8_t> octets(kOptionOctets);
  write_option(octets.data(), code, data.size());
  octets.insert(octets.end(), data.begin(), data.end());
  return octets;
}

EdnsOptions options_of(std::vector<std::uint8_t> first,
                       const std::vector<std::uint8_t>& second = {}) {
  first.insert(first.end(), second.begin(), second.end());
  const auto edns = read_edns(opt(512, 0, 0, first));
  EXPECT_TRUE(edns);
  return edns ? edns->options : EdnsOptions{};
}

TEST(ReadOpt, SaysWhichOptionsItSawAndWhereTheyStand) {
  const auto options = options_of(option(OptionCode::Nsid, {}),
                                  option(OptionCode::Cookie, std::vector<std::uint8_t>(24, 7)));
  EXPECT_EQ(options.seen, EdnsOptions::kNsid | EdnsOptions::kCookie);
  EXPECT_EQ(options.cookie_at, 8 + kOptionOctets + kOptionOctets);
  EXPECT_EQ(options.cookie_octets, 24);
  EXPECT_EQ(options_of(option(OptionCode::TcpKeepalive, {})).seen, EdnsOptions::kKeepalive);
  EXPECT_EQ(options_of(option(OptionCode::TcpKeepalive, {0, 100})).seen,
            EdnsOptions::kKeepaliveTimeout);
  EXPECT_EQ(options_of(option(OptionCode::ExtendedError, {0, 1})).seen, EdnsOptions::kNone);
  EXPECT_EQ(options_of(option(static_cast<OptionCode>(65001), {1})).seen, EdnsOptions::kNone);
}

TEST(ReadOpt, KnowsTheLengthsOfACookie) {  // RFC 7873 section 5.2.2
  for (std::size_t size = 0; size < 300; ++size) {
    const auto options = options_of(option(OptionCode::Cookie, std::vector<std::uint8_t>(size)));
    const bool right = size == 8 || (size >= 16 && size <= 40);
    EXPECT_EQ(options.has(EdnsOptions::kMalformed), !right) << size;
  }
}

TEST(ReadOpt, TakesTheFirstOfTwoCookies) {  // RFC 7873 section 5.2
  const auto options = options_of(option(OptionCode::Cookie, std::vector<std::uint8_t>(8)),
                                  option(OptionCode::Cookie, {1}));
  EXPECT_EQ(options.seen, EdnsOptions::kCookie);
  EXPECT_EQ(options.cookie_at, 8 + kOptionOctets);
}

TEST(ReadOpt, WantsAClientSubnetAsItsRfcSays) {  // RFC 7871 section 6
  const auto malformed = [](const std::vector<std::uint8_t>& data) {
    const auto options = options_of(option(OptionCode::ClientSubnet, data));
    EXPECT_TRUE(options.has(EdnsOptions::kClientSubnet));
    return options.has(EdnsOptions::kMalformed);
  };
  EXPECT_FALSE(malformed({0, 1, 24, 0, 192, 0, 2}));
  EXPECT_FALSE(malformed({0, 1, 23, 0, 192, 0, 2}));
  EXPECT_FALSE(malformed({0, 1, 32, 0, 192, 0, 2, 1}));
  EXPECT_FALSE(malformed({0, 1, 0, 0}));
  EXPECT_FALSE(malformed({0, 2, 33, 0, 0x20, 1, 0x0d, 0xb8, 0x80}));
  EXPECT_FALSE(malformed({0, 0, 0, 0})) << "dig +subnet=0";
  EXPECT_TRUE(malformed({}));
  EXPECT_TRUE(malformed({0, 1, 24}));
  EXPECT_TRUE(malformed({0, 1, 24, 0, 192, 0})) << "too few octets";
  EXPECT_TRUE(malformed({0, 1, 24, 0, 192, 0, 2, 0})) << "too many octets";
  EXPECT_TRUE(malformed({0, 1, 23, 0, 192, 0, 3})) << "a bit behind the prefix";
  EXPECT_TRUE(malformed({0, 1, 33, 0, 192, 0, 2, 1, 0})) << "longer than the address";
  EXPECT_TRUE(malformed({0, 1, 24, 24, 192, 0, 2})) << "a scope in a query";
  EXPECT_TRUE(malformed({0, 3, 8, 0, 1})) << "a family that nobody defined";
  EXPECT_TRUE(malformed({0, 0, 8, 0, 1}));
  std::vector<std::uint8_t> longest{0, 2, 128, 0};
  longest.resize(20, 0xFF);
  EXPECT_FALSE(malformed(longest));
  const auto subnet = option(OptionCode::ClientSubnet, {0, 1, 0, 0});
  EXPECT_TRUE(options_of(subnet, subnet).has(EdnsOptions::kMalformed));
}

TEST(WriteOpt, IsReadBackAndCarriesTheUpperBitsOfTheRcode) {
  std::array<std::uint8_t, kOptOctets> wire{};
  write_opt(wire.data(), 1400, Rcode::BadVers, true);
  EXPECT_EQ(wire[5], 1) << "BADVERS is 16";
  const auto edns = read_edns({wire.begin() + 3, wire.end()});
  ASSERT_TRUE(edns);
  EXPECT_EQ(edns->payload, 1400);
  EXPECT_TRUE(edns->dnssec_ok);
}

}  // namespace
}  // namespace sluice::dns
