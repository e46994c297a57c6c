#include "dns/zone/zone_set.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "dns/zone/zone_builder.h"

namespace sluice::dns {
namespace {

using Kind = Lookup::Kind;

const std::string kUpper =
    "@ 60 SOA ns hostmaster 7 1 1 1 30\n@ 60 NS ns\nns 60 A 192.0.2.1\n"
    "www 60 A 192.0.2.2\nalias 60 CNAME www\n"
    "a.b.c 60 A 192.0.2.3\n"
    "*.wild 60 A 192.0.2.4\nhost.wild 60 TXT x\n*.sub.wild 60 TXT x\n"
    "cut 60 NS ns.cut\nns.cut 60 A 192.0.2.5\ndeep.cut 60 NS ns\n"
    "cut 60 DS 1 8 2 "
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
    "lower 60 DS 2 8 2 "
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"
    "d 60 DNAME www\nd 60 TXT x\nbelow.d 60 A 192.0.2.9\ncut.d 60 NS ns\n*.w.d 60 A 192.0.2.9\n"
    "inner.cut 60 DNAME www\n"
    "lower 60 NS ns.lower\nns.lower 60 A 192.0.2.6\nx.lower 60 TXT occluded\n";
const std::string kLower = "@ 60 SOA ns hostmaster 9 1 1 1 30\n@ 60 NS ns\nns 60 A 192.0.2.7\n";

class ZoneSetFind : public testing::Test {
 protected:
  ZoneSetFind() {
    config::Config config;
    config.zones.push_back({"example.org", kUpper, {}});
    config.zones.push_back({"lower.example.org", kLower, {}});
    config.zones.push_back({"q.p.example.org", kLower, {}});
    auto zones = build_zones(config, {});
    if (!zones) throw std::runtime_error(base::to_string(zones.error()));
    zones_ = *zones;
  }
  Lookup find(const std::string& name, RRType type = RRType::A) const {
    return zones_->find(*Name::parse(name), type);
  }
  Kind kind(const std::string& name, RRType type = RRType::A) const {
    return find(name, type).kind;
  }

  std::shared_ptr<const ZoneSet> zones_;
};

TEST_F(ZoneSetFind, AnEmptyOneKnowsNothing) {
  EXPECT_EQ(ZoneSet().find(*Name::parse("example.org"), RRType::A).kind, Kind::NotAuth);
  EXPECT_EQ(ZoneSet().find(Name(), RRType::NS).kind, Kind::NotAuth);
}

TEST_F(ZoneSetFind, FindsExactNames) {
  EXPECT_EQ(kind("www.example.org"), Kind::RRset);
  EXPECT_EQ(kind("www.example.org", RRType::AAAA), Kind::NoData);
  EXPECT_EQ(kind("alias.example.org"), Kind::Cname);
  EXPECT_EQ(kind("alias.example.org", RRType::CNAME), Kind::RRset);
  EXPECT_EQ(kind("alias.example.org", RRType::ANY), Kind::RRset);
  EXPECT_EQ(kind("alias.example.org", RRType::NSEC), Kind::NoData) << "RFC 4035 section 2.5";
  EXPECT_EQ(kind("www.example.org", RRType::ANY), Kind::Any);
  EXPECT_EQ(kind("example.org", RRType::SOA), Kind::Soa);
  EXPECT_EQ(kind("nothing.example.org"), Kind::NXDomain);
  EXPECT_EQ(kind("org"), Kind::NotAuth);
  EXPECT_EQ(kind("."), Kind::NotAuth);
  EXPECT_EQ(kind("wwwexample.org"), Kind::NotAuth);
}

TEST_F(ZoneSetFind, EmptyNonTerminalsExist) {  // RFC 4592 section 2.2.2, RFC 8020
  EXPECT_EQ(kind("b.c.example.org"), Kind::NoData);
  EXPECT_EQ(kind("c.example.org"), Kind::NoData);
  EXPECT_EQ(kind("c.example.org", RRType::ANY), Kind::NoData);
  EXPECT_EQ(kind("x.c.example.org"), Kind::NXDomain);
  EXPECT_EQ(kind("p.example.org"), Kind::NoData) << "above another zone of ours";
  EXPECT_EQ(find("p.example.org").zone, 0U);
}

TEST_F(ZoneSetFind, WildcardsAnswerForWhatDoesNotExist) {  // RFC 4592 sections 2.2.1, 3.3.1
  EXPECT_EQ(kind("x.wild.example.org"), Kind::RRset);
  EXPECT_EQ(kind("x.y.wild.example.org"), Kind::RRset);
  EXPECT_EQ(kind("x.wild.example.org", RRType::MX), Kind::NoData);
  EXPECT_EQ(kind("wild.example.org"), Kind::NoData) << "not its own parent";
  EXPECT_EQ(kind("host.wild.example.org"), Kind::NoData) << "the name exists";
  EXPECT_EQ(kind("x.host.wild.example.org"), Kind::NXDomain) << "the closest encloser has none";
  EXPECT_EQ(kind("sub.wild.example.org"), Kind::NoData) << "an empty non-terminal";
  EXPECT_EQ(kind("x.sub.wild.example.org"), Kind::NoData) << "the closer wildcard has no A";
  EXPECT_EQ(kind("*.wild.example.org"), Kind::RRset);
}

TEST_F(ZoneSetFind, RefersFromTheTopmostZoneCutDown) {  // RFC 1034 section 4.3.2, step 3b
  for (const char* name : {"cut.example.org", "ns.cut.example.org", "x.y.cut.example.org",
                           "deep.cut.example.org", "x.deep.cut.example.org"}) {
    const Lookup lookup = find(name);
    EXPECT_EQ(lookup.kind, Kind::Referral) << name;
    EXPECT_EQ(lookup.above, Name::parse(name)->size() - Name::parse("cut.example.org")->size());
    EXPECT_EQ(zones_->rrset(lookup.where).additional.size(), 1U);
  }
  EXPECT_EQ(kind("cut.example.org", RRType::NS), Kind::Referral);
}

TEST_F(ZoneSetFind, TheParentAnswersForDs) {  // RFC 4035 section 3.1.4.1
  EXPECT_EQ(kind("cut.example.org", RRType::DS), Kind::RRset);
  EXPECT_EQ(kind("q.p.example.org", RRType::DS), Kind::NoData);
  EXPECT_EQ(find("q.p.example.org", RRType::DS).zone, 0U);
  EXPECT_EQ(kind("x.cut.example.org", RRType::DS), Kind::Referral);
  EXPECT_EQ(kind("lower.example.org", RRType::DS), Kind::RRset) << "of the parent's text";
  EXPECT_EQ(find("lower.example.org", RRType::DS).zone, 0U);
  EXPECT_EQ(find("example.org", RRType::DS).zone, 0U) << "no parent here";
}

TEST_F(ZoneSetFind, ADnameAnswersForAllNamesBelowIt) {  // RFC 6672 sections 2.3, 2.4, 3.2
  for (const char* name :
       {"x.d.example.org", "x.y.d.example.org", "below.d.example.org", "x.below.d.example.org",
        "cut.d.example.org", "x.cut.d.example.org", "x.w.d.example.org", "w.d.example.org"}) {
    const Lookup lookup = find(name);
    EXPECT_EQ(lookup.kind, Kind::Dname) << name;
    EXPECT_EQ(lookup.above, Name::parse(name)->size() - Name::parse("d.example.org")->size());
    EXPECT_EQ(zones_->rrset(lookup.where).type, RRType::DNAME);
  }
  EXPECT_EQ(kind("cut.d.example.org", RRType::DS), Kind::Dname);
  EXPECT_EQ(kind("d.example.org", RRType::TXT), Kind::RRset) << "its owner is not redirected";
  EXPECT_EQ(kind("d.example.org", RRType::DNAME), Kind::RRset);
  EXPECT_EQ(kind("d.example.org"), Kind::NoData);
  EXPECT_EQ(kind("d.example.org", RRType::DS), Kind::NoData);
  EXPECT_EQ(kind("d.example.org", RRType::ANY), Kind::Any);
  EXPECT_EQ(kind("inner.cut.example.org"), Kind::Referral) << "the zone cut is above it";
  EXPECT_EQ(kind("x.inner.cut.example.org"), Kind::Referral);
}

TEST_F(ZoneSetFind, TheLongestApexWins) {
  EXPECT_EQ(find("lower.example.org", RRType::SOA).zone, 1U);
  EXPECT_EQ(kind("lower.example.org", RRType::NS), Kind::RRset) << "the lower zone's own";
  EXPECT_EQ(kind("x.lower.example.org", RRType::TXT), Kind::NXDomain) << "the lower zone decides";
  EXPECT_EQ(find("x.lower.example.org").zone, 1U);
}

TEST_F(ZoneSetFind, AnswersForTheLongestNames) {
  std::string deepest = "x";
  while (deepest.size() + 2 < 253 - std::string("wild.example.org").size()) deepest += ".x";
  EXPECT_EQ(kind(deepest + ".wild.example.org"), Kind::RRset);
  EXPECT_EQ(kind(deepest + ".example.net"), Kind::NotAuth);
}

}  // namespace
}  // namespace sluice::dns
