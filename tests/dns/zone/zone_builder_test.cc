#include "dns/zone/zone_builder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/ldns.h"

namespace sluice::dns {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kApex = "@ 60 SOA ns hostmaster 7 1 1 1 30\n@ 60 NS ns\nns 60 A 192.0.2.1\n";

config::Config zone_config(const std::string& records) {
  config::Config config;
  config.file = "sluice.yaml";
  config.zones.push_back({"example.org", records, {"zone.txt", 1}});
  return config;
}

config::Config pool_config(const std::string& more = "") {
  config::Config config = zone_config(kApex + more);
  config::Pool pool;
  pool.fqdn = "pool.example.org";
  config::Server server;
  server.fqdn = "fe01.example.org";
  server.addresses = {base::IpAddress::v4({10, 0, 0, 1})};
  pool.servers = {server};
  pool.srv = {{"_sip._tcp", "front-end", 5060, 10}};
  config.pools.push_back(pool);
  return config;
}

std::vector<std::string> mistakes(const config::Config& config) {
  std::vector<std::string> texts;
  const auto zones = build_zones(config, {});
  if (zones) return texts;
  for (const base::Error& error : zones.error()) texts.push_back(base::to_string(error));
  return texts;
}
std::vector<std::string> mistakes_of(const std::string& records) {
  return mistakes(zone_config(kApex + records));
}

TEST(BuildZones, WantsOneSoaAndAnNsAtTheApex) {
  EXPECT_THAT(mistakes(zone_config(kApex)), IsEmpty());
  EXPECT_THAT(mistakes(zone_config("")),
              ElementsAre("zone.txt:1: zones[0]: example.org: no SOA record at the apex",
                          "zone.txt:1: zones[0]: example.org: no NS record at the apex"));
  EXPECT_THAT(mistakes_of("@ 60 SOA ns hostmaster 8 1 1 1 30\n"),
              ElementsAre("zone.txt:1: zones[0]: example.org: more than one SOA"));
  EXPECT_THAT(mistakes_of("sub 60 SOA ns hostmaster 8 1 1 1 30\n"),
              ElementsAre("zone.txt:4: zones[0]: sub.example.org: SOA must be at the apex"));
}

TEST(BuildZones, RefusesOwnersOutOfTheZone) {
  EXPECT_THAT(mistakes_of("www.example.net. 60 A 192.0.2.1\nxexample.org. 60 A 192.0.2.1\n"),
              ElementsAre("zone.txt:4: zones[0]: www.example.net is not within zone example.org",
                          HasSubstr("zone.txt:5:")));
}

TEST(BuildZones, WantsACnameAlone) {  // RFC 2181 section 10.1
  EXPECT_THAT(mistakes_of("a 60 CNAME b\na 60 TXT x\n"),
              ElementsAre("zone.txt:4: zones[0]: a.example.org: CNAME and other records"));
  EXPECT_THAT(mistakes_of("a 60 CNAME b\na 60 CNAME c\n"), ElementsAre(HasSubstr("more than one")));
  EXPECT_THAT(mistakes_of("a 60 CNAME b\nA 60 CNAME B\n"), IsEmpty()) << "the same twice";
  EXPECT_THAT(mistakes_of("@ 60 CNAME b\n"), ElementsAre(HasSubstr("CNAME and other records")));
}

TEST(BuildZones, RefusesTypesThatItCannotServe) {
  for (const char* type : {"RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY",
                           "ZONEMD", "SIG", "NXT"}) {
    const auto number = ldns_get_rr_type_by_name(type);
    EXPECT_THAT(
        mistakes_of("a 60 TYPE" + std::to_string(number) + " \\# 0\n"),
        ElementsAre(AnyOf(HasSubstr(std::string(type) + " records belong into a signed zone"),
                          HasSubstr("record of a.example.org"))));
  }
  EXPECT_THAT(mistakes_of("a 60 CDS 0 0 0 00\n"),
              ElementsAre(HasSubstr("CDS records belong into a signed zone")));
  EXPECT_THAT(mistakes_of("a 60 TYPE250 \\# 0\n"), ElementsAre(HasSubstr("can't be in a zone")));
  EXPECT_THAT(mistakes_of("*.a 60 NS ns\n"), ElementsAre(HasSubstr("RFC 4592 section 4.2")));
}

TEST(BuildZones, WantsADnameAloneOfItsKind) {  // RFC 6672 sections 2.3, 2.4, RFC 4592 section 4.4
  EXPECT_THAT(mistakes_of("a 60 DNAME b\na 60 TXT x\na 60 A 192.0.2.1\nx.a 60 TXT x\n"), IsEmpty());
  EXPECT_THAT(mistakes_of("@ 60 DNAME b.example.net.\n"), IsEmpty()) << "at the apex";
  EXPECT_THAT(mistakes_of("a 60 DNAME b\na 60 DNAME c\n"),
              ElementsAre("zone.txt:4: zones[0]: a.example.org: more than one DNAME"));
  EXPECT_THAT(mistakes_of("a 60 DNAME b\nA 60 DNAME B\n"), IsEmpty()) << "the same twice";
  EXPECT_THAT(mistakes_of("a 60 DNAME b\na 60 CNAME c\n"),
              ElementsAre("zone.txt:5: zones[0]: a.example.org: CNAME and other records"));
  EXPECT_THAT(mistakes_of("a 60 DNAME b\na 60 NS c\n"),
              ElementsAre(HasSubstr("a.example.org: DNAME and NS at a name that is no apex")));
  EXPECT_THAT(mistakes_of("*.a 60 DNAME b\n"),
              ElementsAre(HasSubstr("DNAME at a wildcard (RFC 4592 section 4.4)")));
}

TEST(BuildZones, RefusesPoolsBelowADname) {
  EXPECT_THAT(mistakes(pool_config("pool 60 DNAME x\n")),
              ElementsAre("sluice.yaml: pools[0]: the answer set _sip._tcp.pool.example.org lies "
                          "below the DNAME pool.example.org of zone example.org, which leads all "
                          "names there elsewhere"))
      << "the pool's own name is not below it";
  config::Config config = pool_config("d 60 DNAME x\ny.d 60 TXT x\n");
  config.pools[0].servers[0].fqdn = "fe01.y.d.example.org";
  EXPECT_THAT(mistakes(config),
              ElementsAre("sluice.yaml: pools[0].servers: server fe01.y.d.example.org lies below "
                          "the DNAME d.example.org of zone example.org, which leads all names "
                          "there elsewhere"));
}

TEST(BuildZones, RefusesAZoneBelowADname) {  // RFC 6672 section 2.4
  config::Config config = zone_config(kApex + "a 60 DNAME b\n");
  for (const char* lower : {"x.a.example.org", "y.x.a.example.org", "a.example.org"}) {
    config.zones.resize(1);
    config.zones.push_back({lower, kApex, {"lower.txt", 1}});
    const auto below = HasSubstr("lies below the DNAME a.example.org of zone example.org");
    if (std::string(lower) == "a.example.org") {
      EXPECT_THAT(mistakes(config), IsEmpty()) << "records at its apex are its own";
    } else {
      EXPECT_THAT(mistakes(config), ElementsAre(AllOf(HasSubstr("lower.txt:1: zones[1]"), below)));
    }
  }
}

TEST(BuildZones, WantsDsAtZoneCuts) {  // RFC 4035 section 2.4
  const std::string ds = " 60 DS 1 8 2 " + std::string(64, 'a') + "\n";
  EXPECT_THAT(mistakes_of("a 60 NS b\na" + ds), IsEmpty());
  EXPECT_THAT(mistakes_of("a" + ds), ElementsAre(HasSubstr("DS without NS")));
  EXPECT_THAT(mistakes_of("@" + ds), ElementsAre(HasSubstr("DS at the apex")));
}

TEST(BuildZones, TellsMistakesOfIncludedFiles) {
  const std::string file = testing::TempDir() + "sluice-included";
  std::ofstream(file) << "\nwww.example.net. 60 A 192.0.2.1\na 60 CNAME b\n";
  EXPECT_THAT(mistakes_of("$INCLUDE " + file + "\na 60 TXT x\nwww.example.com. 60 TXT x\n"),
              ElementsAre(HasSubstr(file + ":2: zones[0]: www.example.net is not within"),
                          HasSubstr("zone.txt:6: zones[0]: www.example.com is not within"),
                          HasSubstr(file + ":3: zones[0]: a.example.org: CNAME and other")));
  std::filesystem::remove(file);
}

TEST(BuildZones, NamesBothWhenAStaticRecordCollidesWithThePool) {
  EXPECT_THAT(mistakes(pool_config()), IsEmpty());
  EXPECT_THAT(
      mistakes(pool_config("pool 60 AAAA ::1\n")),
      ElementsAre("zone.txt:4: zones[0]: pool.example.org: a static record collides with the "
                  "answer set pool.example.org of pools[0]"));
  EXPECT_THAT(mistakes(pool_config("pool 60 CNAME x\n")), ElementsAre(HasSubstr("CNAME collides")));
  EXPECT_THAT(mistakes(pool_config("_sip._tcp.pool 60 SRV 1 1 1 x\n")),
              ElementsAre(HasSubstr("the answer set _sip._tcp.pool.example.org")));
  EXPECT_THAT(mistakes(pool_config("fe01 60 A 10.0.0.1\n")),
              ElementsAre(HasSubstr("the host record of server fe01.example.org")));
  EXPECT_THAT(mistakes(pool_config("pool 60 TXT x\n_sip._tcp.pool 60 TXT x\nfe01 60 TXT x\n")),
              IsEmpty())
      << "other types live beside";
}

TEST(BuildZones, NamesBothWhenConfiguredNamesCollide) {
  config::Config config = pool_config();
  config.pools[0].features.push_back({"attendant", "attendant"});
  config.pools[0].servers[0].fqdn = "attendant.pool.example.org";
  EXPECT_THAT(mistakes(config),
              ElementsAre(AllOf(HasSubstr("the host record of server attendant.pool.example.org"),
                                HasSubstr("collides with the answer set"))));
  config = pool_config();
  config.pools.push_back(config.pools[0]);
  EXPECT_THAT(mistakes(config),
              AllOf(Contains(HasSubstr("the answer set pool.example.org is configured twice")),
                    Contains(HasSubstr("server fe01.example.org is configured twice"))));
}

TEST(BuildZones, WantsAnswerSetsWhereItIsAuthoritative) {
  config::Config config = pool_config();
  config.pools[0].fqdn = "pool.example.net";
  EXPECT_THAT(mistakes(config), Contains(HasSubstr("lies in no configured zone")));
  EXPECT_THAT(mistakes(pool_config("pool 60 NS ns\n")),
              Contains(HasSubstr("lies at or below the zone cut pool.example.org")));
}

TEST(BuildZones, KnowsTheOwnersOfAnswerSets) {
  config::Config config = pool_config();
  const auto zones = build_zones(config, {});
  ASSERT_TRUE(zones);
  const auto sets = config::answer_sets(config);
  ASSERT_EQ((*zones)->answer_sets().size(), sets.size());
  for (std::size_t set = 0; set < sets.size(); ++set) {
    const auto name = (*zones)->name_at((*zones)->answer_sets()[set].name);
    EXPECT_TRUE(std::ranges::equal(name, Name::parse(sets[set].owner)->wire())) << set;
  }
}

TEST(BuildZones, LeavesOutHostRecordsThatAreNotItsOwn) {
  config::Config config = pool_config("ad 60 NS ns\n");
  config.pools[0].servers[0].fqdn = "fe01.ad.example.org";
  auto zones = build_zones(config, {});
  ASSERT_TRUE(zones);
  EXPECT_FALSE((*zones)->hosts()[0].in_zone) << "below a zone cut";
  config.pools[0].servers[0].fqdn = "fe01.example.net";
  zones = build_zones(config, {});
  ASSERT_TRUE(zones);
  EXPECT_FALSE((*zones)->hosts()[0].in_zone) << "in no zone";
}

TEST(BuildZones, SaysWhenAnAnswerCannotBeSentAtAll) {
  config::Config config = pool_config();
  config.pools[0].srv.clear();
  config.pools[0].servers.clear();
  for (int number = 0; number < 5'000; ++number) {
    config::Server server;
    server.fqdn = "fe" + std::to_string(number) + ".example.org";
    server.addresses = {base::IpAddress::v4(
        {10, 0, static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)})};
    config.pools[0].servers.push_back(server);
  }
  EXPECT_THAT(mistakes(config), ElementsAre(HasSubstr("more than a DNS message can hold")));
}

TEST(BuildZones, SaysWhenALastResortCannotBeSentAtAll) {
  config::Config config = pool_config();
  config.pools[0].when_all_held = config::WhenAllHeld::Addresses;
  for (unsigned number = 0; number < 2'341; ++number) {  // 65,548 octets of AAAA records
    config.pools[0].last_resort.push_back(*base::IpAddress::parse(
        "2001:db8::" + std::to_string(number / 1'000) + ":" + std::to_string(number % 1'000)));
  }
  EXPECT_THAT(mistakes(config), ElementsAre(AllOf(HasSubstr("when_all_held"),
                                                  HasSubstr("more than a DNS message can hold"))));
}

// Comparing each with all took hours for what $GENERATE may make.
TEST(BuildZones, RefusesAHundredThousandRecordsOfOneTypeInGoodTime) {
  EXPECT_THAT(mistakes_of("$GENERATE 1-100000 big 60 TXT $\n"),
              ElementsAre(HasSubstr("more than a DNS message can hold")));
}

TEST(BuildZones, GathersRRsetsWithTheSmallestTtlAndWithoutDuplicates) {  // RFC 2181 section 5
  const auto zones = build_zones(
      zone_config(kApex +
                  "a 60 A 1.1.1.1\na 30 A 2.2.2.2\na 90 A 1.1.1.1\nm 9 MX 1 A\nm 9 MX 1 a\n"),
      {});
  ASSERT_TRUE(zones);
  Lookup lookup = (*zones)->find(*Name::parse("a.example.org"), RRType::A);
  ASSERT_EQ(lookup.kind, Lookup::Kind::RRset);
  EXPECT_EQ((*zones)->rrset(lookup.where).count, 2);
  EXPECT_EQ((*zones)->rrset(lookup.where).ttl, 30U);
  lookup = (*zones)->find(*Name::parse("m.example.org"), RRType::MX);
  EXPECT_EQ((*zones)->rrset(lookup.where).count, 1) << "names are equal without regard to case";
}

TEST(BuildZones, ReportsAllMistakesInOneGo) {
  EXPECT_EQ(mistakes_of("a 60 A 1\nb 60 NSEC c A\nc 60 CNAME d\nc 60 A 1.1.1.1\n").size(), 3U);
  config::Config config = zone_config(kApex);
  config.zones.push_back(config.zones[0]);
  EXPECT_THAT(mistakes(config), Contains(HasSubstr("configured twice")));
}

TEST(SerialBases, NeverGoBack) {
  const auto base = [](const SerialBases& persisted) {
    return (*build_zones(zone_config(kApex), persisted))->serial_bases();
  };
  EXPECT_EQ(base({}), (SerialBases{{"example.org", 7}}));
  EXPECT_EQ(base({{"example.org", 5}}), (SerialBases{{"example.org", 7}}));
  EXPECT_EQ(base({{"example.org", 900}}), (SerialBases{{"example.org", 900}}));
}

TEST(LaterSerial, FollowsRfc1982) {  // section 3.2
  EXPECT_EQ(later_serial(std::nullopt, 5), 5U);
  EXPECT_EQ(later_serial(5, 5), 5U);
  EXPECT_EQ(later_serial(0xFFFFFFFF, 0), 0U);
  EXPECT_EQ(later_serial(0, 0xFFFFFFFF), 0U);
  EXPECT_EQ(later_serial(0, 0x7FFFFFFF), 0x7FFFFFFFU);
  EXPECT_EQ(later_serial(0, 0x80000000), 0U) << "not comparable";
}

}  // namespace
}  // namespace sluice::dns
