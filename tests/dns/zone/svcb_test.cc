#include "dns/zone/svcb.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "dns/zone/rdata_text.h"
#include "dns/zone/scanner.h"

namespace sluice::dns {
namespace {

std::string hex(std::span<const std::uint8_t> octets) {
  std::string text;
  for (const std::uint8_t octet : octets) {
    text += "0123456789abcdef"[octet >> 4];
    text += "0123456789abcdef"[octet & 15];
  }
  return text;
}

// The RDATA in hex, or what is wrong.
std::string read_svcb(const std::string& record) {
  MasterFileScanner scanner(record);
  const auto entry = scanner.next();
  std::vector<std::uint8_t> rdata;
  const auto type = read_rdata((**entry).tokens, *Name::parse("example.com"), rdata);
  return type ? hex(rdata) : type.error();
}

// RFC 9460 appendix D.
TEST(Svcb, ReadsTheVectorsOfItsRfc) {
  EXPECT_EQ(read_svcb("HTTPS 0 foo.example.com."), "000003666f6f076578616d706c6503636f6d00");
  EXPECT_EQ(read_svcb("SVCB 1 ."), "000100");
  EXPECT_EQ(read_svcb("SVCB 16 foo.example.com. port=53"),
            "001003666f6f076578616d706c6503636f6d00000300020035");
  EXPECT_EQ(read_svcb("SVCB 1 foo.example.com. key667=hello"),
            "000103666f6f076578616d706c6503636f6d00029b000568656c6c6f");
  EXPECT_EQ(read_svcb("SVCB 1 foo.example.com. key667=\"hello\\210qoo\""),
            "000103666f6f076578616d706c6503636f6d00029b000968656c6c6fd2716f6f");
  EXPECT_EQ(read_svcb("SVCB 1 foo.example.com. ( ipv6hint=\"2001:db8::1,2001:db8::53:1\" )"),
            "000103666f6f076578616d706c6503636f6d0000060020"
            "20010db800000000000000000000000120010db8000000000000000000530001");
  EXPECT_EQ(read_svcb("SVCB 16 foo.example.org. ( alpn=h2,h3-19 mandatory=ipv4hint,alpn "
                      "ipv4hint=192.0.2.1 )"),
            "001003666f6f076578616d706c65036f726700000000040001000400010009026832"
            "0568332d313900040004c0000201");
  EXPECT_EQ(read_svcb("SVCB 16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\""),
            "001003666f6f076578616d706c65036f726700000100"
            "0c08665c6f6f2c626172026832");
}

// RFC 9460 appendix D.3, and what follows from sections 2.4.2, 7 and 8.
TEST(Svcb, RefusesWhatClientsWouldDiscard) {
  const std::vector<std::pair<const char*, const char*>> kWrong = {
      {"SVCB 1 foo key123=abc key123=def", "key123 stands there twice"},
      {"SVCB 1 foo alpn=h2 alpn=h3", "alpn stands there twice"},
      {"SVCB 1 foo alpn", "alpn needs one or more protocols, such as alpn=h2,h3"},
      {"SVCB 1 foo no-default-alpn", "no-default-alpn needs alpn"},
      {"SVCB 1 foo mandatory=port", "mandatory names port, which is not there"},
      {"SVCB 1 foo mandatory=mandatory", "mandatory names itself"},
      {"SVCB 1 foo port=1 mandatory=port,port", "mandatory names port twice"},
      {"SVCB 0 foo port=53", "priority 0 (an alias) takes no parameters"},
      {"SVCB 1 foo key65535=x", "key65535 is reserved"},
  };
  for (const auto& [record, why] : kWrong) EXPECT_EQ(read_svcb(record), why) << record;
  for (const char* record :
       {"SVCB 1", "SVCB", "SVCB 65536 .", "SVCB 1 foo alpn=", "SVCB 1 foo port",
        "SVCB 1 foo port=", "SVCB 1 foo port=65536", "SVCB 1 foo ipv4hint",
        "SVCB 1 foo ipv4hint=1.2.3", "SVCB 1 foo ipv6hint=::1::", "SVCB 1 foo ech",
        "SVCB 1 foo mandatory", "SVCB 1 foo no-default-alpn=x", "HTTPS 1 foo bogus=1"}) {
    EXPECT_NE(read_svcb(record).find_first_not_of("0123456789abcdef"), std::string::npos) << record;
  }
}

TEST(Svcb, ChecksTheGenericFormToo) {  // RFC 3597 section 5
  EXPECT_EQ(read_svcb("TYPE65 \\# 3 000100"), "000100");
  EXPECT_EQ(read_svcb("HTTPS \\# 9 000100 0003 0002 01bb"), "0001000003000201bb");
  for (const char* record : {
           "TYPE64 \\# 2 0001",                              // no target
           "TYPE64 \\# 6 000100 000300",                     // a parameter that ends early
           "TYPE64 \\# 9 000100 0003 0003 01bb",             // longer than there are octets
           "TYPE64 \\# 8 000100 0003 0001 01",               // a port of one octet
           "TYPE64 \\# 13 000100 fde8 0000 0003 0002 01bb",  // keys in descending order
       }) {
    EXPECT_NE(read_svcb(record).find_first_not_of("0123456789abcdef"), std::string::npos) << record;
  }
}

TEST(Svcb, SurvivesEveryTruncation) {
  std::vector<std::uint8_t> whole;
  MasterFileScanner scanner(
      "HTTPS 1 a. mandatory=alpn alpn=h2 port=1 ipv4hint=1.1.1.1 ipv6hint=::1");
  const auto entry = scanner.next();
  ASSERT_TRUE(read_rdata((**entry).tokens, Name(), whole));
  EXPECT_EQ(svcb_mistake(whole), "");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::uint8_t> cut(whole.begin(),
                                        whole.begin() + static_cast<std::ptrdiff_t>(size));
    svcb_mistake(cut);  // a whole parameter less may be right
  }
}

}  // namespace
}  // namespace sluice::dns
