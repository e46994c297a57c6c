#include "dns/answer/alias_chain.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dns/answer/asking.h"

namespace sluice::dns {
namespace {

using fixture::Judged;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Four labels of 49 octets: 200 on the wire.
const std::string kLong = [] {
  std::string text;
  for (char c = 'a'; c < 'e'; ++c) text += std::string(49, c) + '.';
  return text;
}();

const std::string kRecords = std::string(fixture::kRecords) +
                             "d      60 IN DNAME web\n"
                             "d      60 IN TXT   \"the owner itself is not redirected\"\n"
                             "d      60 IN A     192.0.2.7\n"
                             "old.d  60 IN A     192.0.2.66\n"
                             "tree   60 IN DNAME there\n"
                             "a.there 60 IN A    192.0.2.1\n"
                             "b.there 60 IN CNAME c.tree\n"
                             "c.there 60 IN TXT  \"twice through the tree\"\n"
                             "far    60 IN DNAME example.net.\n"
                             "ping   60 IN DNAME pong\n"
                             "pong   60 IN DNAME ping\n"
                             "grow   60 IN DNAME x.grow\n"
                             "long   60 IN DNAME " +
                             kLong +
                             "example.net.\n"
                             "intod  60 IN CNAME x.d\n"
                             "tocut2 60 IN DNAME child\n"
                             "*.wc2  60 IN CNAME a.tree\n"
                             "self   60 IN CNAME self\n"
                             "*.wl   60 IN CNAME x.wl\n"
                             "members 60 IN CNAME attendant\n";

std::string records() {
  std::string text = kRecords;
  for (int hop = 0; hop < 20; ++hop) {
    text += "hop" + std::to_string(hop) + " 60 IN CNAME hop" + std::to_string(hop + 1) + "\n";
  }
  return text;
}

class Aliases : public testing::Test {
 protected:
  Judged asked(const std::string& name, const std::string& type = "A", std::uint16_t payload = 0) {
    const std::string whole = name + "pool01.contoso.example.";
    return fixture::ask(fixture::now(serving_), {.name = whole, .type = type, .payload = payload});
  }
  static std::string record(const std::string& owner, const std::string& rest) {
    return owner + "pool01.contoso.example. 60 IN " + rest;
  }
  static std::string in_zone(const std::string& name) { return name + "pool01.contoso.example."; }

  fixture::Serving serving_{fixture::pool_config(3, records())};
};

TEST_F(Aliases, ADnameLeadsToItsTargetWithASynthesisedCname) {  // RFC 6672 section 3.1
  const Judged judged = asked("a.tree.");
  EXPECT_THAT(judged.answer, ElementsAre(record("tree.", "DNAME " + in_zone("there.")),
                                         record("a.tree.", "CNAME " + in_zone("a.there.")),
                                         record("a.there.", "A 192.0.2.1")));
  EXPECT_TRUE(judged.aa());
  EXPECT_EQ(judged.rcode, Rcode::NoError);
  const Judged missing = asked("z.tree.");
  EXPECT_EQ(missing.rcode, Rcode::NXDomain) << "RFC 6604: the last name's";
  EXPECT_THAT(missing.answer, SizeIs(2));
  EXPECT_THAT(missing.authority, ElementsAre(HasSubstr("SOA")));
}

TEST_F(Aliases, TheOwnerOfADnameIsNotRedirected) {  // RFC 6672 section 2.3
  EXPECT_THAT(asked("d.").answer, ElementsAre(record("d.", "A 192.0.2.7")));
  EXPECT_THAT(asked("d.", "DNAME").answer, ElementsAre(HasSubstr("DNAME")));
  EXPECT_THAT(asked("d.", "MX").answer, IsEmpty());
  EXPECT_THAT(asked("d.", "ANY").answer, ElementsAre(HasSubstr("HINFO")));
}

TEST_F(Aliases, ADnameOccludesWhatIsBelowIt) {  // RFC 6672 section 2.4
  const Judged judged = asked("old.d.");
  EXPECT_THAT(judged.answer, ElementsAre(HasSubstr("DNAME"), HasSubstr("CNAME old.web.")));
  EXPECT_EQ(judged.rcode, Rcode::NXDomain);
  EXPECT_THAT(asked("x.old.d.").answer, ElementsAre(HasSubstr("DNAME"), HasSubstr("x.old.web.")));
  EXPECT_THAT(asked("old.d.", "DS").answer, SizeIs(2));
}

TEST_F(Aliases, TheCaseOfTheQuestionIsKeptInTheSynthesisedName) {
  const Judged judged = asked("A.tReE.");
  EXPECT_THAT(judged.answer[1], testing::EndsWith("CNAME A.there.pool01.contoso.example."));
  EXPECT_EQ(judged.rcode, Rcode::NoError);
}

TEST_F(Aliases, ADnameStandsOnceHoweverOftenItLeads) {
  const Judged judged = asked("b.tree.", "TXT");
  EXPECT_THAT(judged.answer,
              ElementsAre(HasSubstr("tree."), HasSubstr("b.tree."),
                          HasSubstr("CNAME " + in_zone("c.tree.")),
                          HasSubstr("CNAME " + in_zone("c.there.")), HasSubstr("twice through")));
}

TEST_F(Aliases, AQuestionForCnameEndsAtTheFirst) {
  const Judged judged = asked("z.tree.", "CNAME");
  EXPECT_THAT(judged.answer, ElementsAre(HasSubstr("DNAME"), HasSubstr("CNAME")));
  EXPECT_EQ(judged.rcode, Rcode::NoError);
}

TEST_F(Aliases, AnyFollowsDnamesAndStopsAtCnames) {  // RFC 8482 section 4.2
  EXPECT_THAT(asked("a.tree.", "ANY").answer,
              ElementsAre(HasSubstr("DNAME"), HasSubstr("CNAME"), HasSubstr("HINFO")));
  EXPECT_EQ(asked("z.tree.", "ANY").rcode, Rcode::NXDomain);
  EXPECT_THAT(asked("b.there.", "ANY").answer, ElementsAre(HasSubstr("CNAME")));
}

TEST_F(Aliases, TheChainEndsWhereTheZoneDoes) {
  const Judged judged = asked("x.far.");
  EXPECT_THAT(judged.answer, ElementsAre(HasSubstr("DNAME"), HasSubstr("CNAME x.example.net.")));
  EXPECT_EQ(judged.rcode, Rcode::NoError);
  EXPECT_THAT(judged.authority, IsEmpty());
}

TEST_F(Aliases, LoopsEnd) {
  EXPECT_THAT(asked("x.ping.").answer, SizeIs(4)) << "two DNAMEs, two CNAMEs";
  EXPECT_THAT(asked("self.").answer, SizeIs(1));
  EXPECT_THAT(asked("loop1.").answer, SizeIs(2));
  EXPECT_THAT(asked("z.wl.").answer, SizeIs(2)) << "z to x, x to itself";
  EXPECT_THAT(asked("hop0.", "A", 4096).answer, SizeIs(16));
  EXPECT_EQ(asked("hop0.", "A", 4096).rcode, Rcode::NoError);
  const Judged growing = asked("x.grow.", "A", 1232);
  EXPECT_EQ(growing.rcode, Rcode::NoError);
  EXPECT_THAT(growing.answer, SizeIs(17)) << "the DNAME once, then its CNAMEs";
}

TEST_F(Aliases, ANameThatGrowsTooLongIsYxdomain) {  // RFC 6672 section 2.2
  // 200 + "example.net." 13 = 213: 42 octets more make 255.
  const Judged longest = asked(std::string(41, 'x') + ".long.", "A", 1232);
  EXPECT_EQ(longest.rcode, Rcode::NoError);
  EXPECT_THAT(longest.answer, SizeIs(2));
  const Judged longer = asked(std::string(42, 'x') + ".long.");
  EXPECT_EQ(longer.rcode, Rcode::YXDomain);
  EXPECT_THAT(longer.answer, ElementsAre(HasSubstr("DNAME"))) << "says why";
  EXPECT_TRUE(longer.aa());
}

TEST_F(Aliases, CnamesAndDnamesMix) {
  EXPECT_THAT(asked("intod.").answer,
              ElementsAre(HasSubstr("CNAME x.d."), HasSubstr("DNAME"), HasSubstr("CNAME x.web.")));
  EXPECT_THAT(asked("q.wc2.").answer, ElementsAre(HasSubstr("q.wc2."), HasSubstr("DNAME"),
                                                  HasSubstr("a.tree."), HasSubstr("192.0.2.1")));
  const Judged referral = asked("x.tocut2.");
  EXPECT_THAT(referral.answer, SizeIs(2));
  EXPECT_THAT(referral.authority, ElementsAre(HasSubstr("NS"), HasSubstr("NS")));
  EXPECT_THAT(referral.authority[0], testing::StartsWith("child."));
  EXPECT_TRUE(referral.aa()) << "of the first name, RFC 1035 section 4.1.1";
}

TEST_F(Aliases, LeadToAnswerSets) {
  EXPECT_THAT(asked("members.").answer, SizeIs(4));
}

TEST_F(Aliases, AreTruncatedAtWholeRRsets) {  // RFC 2181 section 9
  for (std::uint16_t payload = 512; payload < 1'200; ++payload) {
    const Judged judged = asked(kLong + "grow.", "A", payload);
    ASSERT_TRUE(judged.parsed);
    ASSERT_LE(judged.size, payload);
    EXPECT_TRUE(judged.tc()) << payload;
  }
}

}  // namespace
}  // namespace sluice::dns
