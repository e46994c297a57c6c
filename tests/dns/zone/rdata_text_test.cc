#include "dns/zone/rdata_text.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dns/ldns.h"
#include "dns/zone/scanner.h"

namespace sluice::dns {
namespace {

struct ReadRdata {
  std::string error;
  RRType type = RRType::A;
  std::vector<std::uint8_t> rdata;
};

ReadRdata read_rdata(const std::string& record) {
  ReadRdata result;
  MasterFileScanner scanner(record);
  const auto entry = scanner.next();
  const auto type = read_rdata((**entry).tokens, *Name::parse("example.org"), result.rdata);
  if (type) {
    result.type = *type;
  } else {
    result.error = type.error();
  }
  return result;
}

// A record of each type that ldns reads and whose RDATA has a form of its own.
constexpr const char* kRecords[] = {
    "A 192.0.2.1",
    "NS ns",
    "CNAME a",
    "SOA ns host 1 2 3 4 5",
    "MB a",
    "MG a",
    "MR a",
    "WKS 10.0.0.1 tcp smtp",
    "PTR a",
    "HINFO PC Linux",
    "MINFO a b",
    "MX 10 mail",
    "TXT a \"b c\" \\\"d \\065",
    "RP a b",
    "AFSDB 1 a",
    "X25 311061700956",
    "ISDN 150862028003217 004",
    "RT 1 a",
    "NSAP 0x47000580005a0000000001e133ffffff00016100",
    "PX 1 a b",
    "GPOS -32.6882 116.8652 10.0",
    "AAAA 2001:db8::1",
    "LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
    "SRV 1 2 3 a",
    "ATMA 39246f00ffffffff",
    "NAPTR 100 50 s http+I2L \"\" _http._tcp",
    "KX 1 a",
    "CERT PKIX 1 RSASHA256 AAAA",
    "DNAME a",
    "APL 1:192.168.32.0/21 !1:192.168.38.0/28",
    "DS 1 8 2 e2d3c916f6deeac73294e8268fb5885044a833fc5459588f4a9184cfc41a5766",
    "SSHFP 2 1 123456789abcdef67890123456789abcdef67890",
    "IPSECKEY 10 1 2 192.0.2.38 AQNR",
    "DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=",
    "TLSA 3 1 1 d2abde240d7cd3ee6b4b28c54df034b97983a1d16e8a410e4561cb106618e971",
    "SMIMEA 3 1 1 d2abde24",
    "HIP ( 2 200100107B1A74DF365639CC39F1D578 AwEAAbdx rvs )",
    "TALINK a b",
    "OPENPGPKEY AAAA AAAA",
    "CSYNC 66 3 A NS AAAA",
    "SVCB 1 a port=1",
    "HTTPS 1 . alpn=h2",
    "SPF \"v=spf1 -all\"",
    "NID 10 0014:4fff:ff20:ee64",
    "L32 10 10.1.2.0",
    "L64 10 2001:0DB8:1140:1000",
    "LP 10 a",
    "EUI48 00-00-5e-00-53-2a",
    "EUI64 00-00-5e-ef-10-00-00-2a",
    "URI 10 1 \"ftp://ftp1.example.com/public\"",
    "CAA 0 issue \"letsencrypt.org\"",
    "TYPE65280 \\# 3 010203",
    "TYPE999 \\# 0"};

TEST(ReadRdata, ReadsWhatLdnsReadsBack) {
  for (const char* record : kRecords) {
    const ReadRdata once = read_rdata(record);
    ASSERT_EQ(once.error, "") << record;
    // The same octets in the generic form are the same record (RFC 3597 section 5).
    std::string generic = "TYPE" + std::to_string(static_cast<unsigned>(once.type)) + " \\# " +
                          std::to_string(once.rdata.size()) + " ";
    for (const std::uint8_t octet : once.rdata) {
      generic += "0123456789abcdef"[octet >> 4];
      generic += "0123456789abcdef"[octet & 15];
    }
    const ReadRdata again = read_rdata(generic);
    EXPECT_EQ(again.error, "") << record << ": " << generic;
    EXPECT_EQ(again.type, once.type) << record;
    EXPECT_EQ(again.rdata, once.rdata) << record;
  }
}

TEST(ReadRdata, KnowsTypesByNameAndNumber) {
  EXPECT_EQ(read_rdata("tYPE16 \\# 2 0161").type, RRType::TXT);
  for (const char* word : {"BOGUS", "TYPE", "TYPEx", "TYPE65536", "TYPE1x", "TYPE-1", "0"}) {
    EXPECT_EQ(read_rdata(word).error, std::string(word) + " is not a record type");
  }
}

TEST(ReadRdata, RefusesWhatHasNotItsForm) {
  for (const char* record : {"A",
                             "A 1.2.3",
                             "A 1.2.3.4 5",
                             "AAAA 1.2.3.4",
                             "MX mail",
                             "MX 65536 mail",
                             "MX 1 a..b",
                             "SRV 1 2 3",
                             "TXT",
                             "SOA a b 1 2 3 4",
                             "CAA 256 issue x",
                             "TLSA 3 1 1 xyz",
                             "TYPE1 \\# 3 010101",
                             "TYPE5 \\# 3 036162",
                             "TYPE6 \\# 4 00000000",
                             "TYPE15 \\# 1 00",
                             "TYPE39 \\# 3 000000",
                             "TYPE999 \\# 2 01",
                             "TYPE999 \\# 1 0102",
                             "TYPE999 x",
                             "SRV 1 2 65536 a",
                             "CAA 256 issue x",
                             "URI 1 70000 x",
                             "SOA a b 4294967296 2 3 4 5",
                             "SOA a b 1 2 3 4 2147483648"}) {
    EXPECT_NE(read_rdata(record).error, "") << record;
  }
}

}  // namespace
}  // namespace sluice::dns
