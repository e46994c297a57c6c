#include "dns/answer/answer.h"

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
using testing::StartsWith;
using testing::UnorderedElementsAre;

const std::string kApex = "pool01.contoso.example.";
const std::string kPoolRecords =
    std::string(fixture::kRecords) +
    "own    60 IN HTTPS 1 . alpn=h2\n"
    "own    60 IN A     192.0.2.1\n"
    "other  60 IN HTTPS 1 own port=8443\n"
    "other  60 IN HTTPS 2 fe01 port=8444\n"
    "svcb   60 IN SVCB  0 own\n"
    "https  60 IN HTTPS 0 own\n"
    "none   60 IN HTTPS 0 .\n"
    "*.any  60 IN HTTPS 1 . alpn=h2\n"
    "*.any  60 IN A     192.0.2.3\n"
    "topool 60 IN HTTPS 1 @ alpn=h2\n"
    "child  60 IN DS    1 8 2 "
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n";

class AnswerSections : public testing::Test {
 protected:
  Judged asked(const std::string& name, const std::string& type) {
    return fixture::ask(fixture::now(serving_),
                        {.name = name + kApex, .type = type, .payload = 1232});
  }

  fixture::Serving serving_{fixture::pool_config(3, kPoolRecords)};
};

TEST_F(AnswerSections, AServiceBindingBringsTheAddressesOfItsTarget) {  // RFC 9460 section 4.1
  EXPECT_THAT(asked("own.", "HTTPS").additional, ElementsAre("own." + kApex + " 60 IN A 192.0.2.1"))
      << "\".\" is the owner itself";
  EXPECT_THAT(asked("other.", "HTTPS").additional,
              UnorderedElementsAre(HasSubstr("own."), "fe01." + kApex + " 30 IN A 10.99.0.1",
                                   "fe01." + kApex + " 30 IN AAAA fd99::1"));
  EXPECT_THAT(asked("x.any.", "HTTPS").additional,
              ElementsAre("x.any." + kApex + " 60 IN A 192.0.2.3"))
      << "the owner is the question's name";
  EXPECT_THAT(asked("topool.", "HTTPS").additional, SizeIs(6)) << "the pool's members";
}

TEST_F(AnswerSections, AnAliasBringsTheServiceBindingsOfItsTargetToo) {  // RFC 9460 section 4.1
  EXPECT_THAT(asked("https.", "HTTPS").additional,
              UnorderedElementsAre(StartsWith("own." + kApex + " 60 IN HTTPS 1 ."),
                                   HasSubstr("192.0.2.1")));
  EXPECT_THAT(asked("svcb.", "SVCB").additional, ElementsAre(HasSubstr("192.0.2.1")))
      << "those of its own type";
  EXPECT_THAT(asked("none.", "HTTPS").additional, IsEmpty()) << "RFC 9460 section 2.5.1";
}

TEST_F(AnswerSections, TheParentAnswersForDsWithAuthority) {  // RFC 4035 section 3.1.4.1
  const Judged ds = asked("child.", "DS");
  EXPECT_THAT(ds.answer, ElementsAre(HasSubstr("DS")));
  EXPECT_TRUE(ds.aa());
  const Judged below = asked("child.", "A");
  EXPECT_THAT(below.answer, IsEmpty());
  EXPECT_FALSE(below.aa());
  EXPECT_THAT(below.authority, SizeIs(2)) << "no DS in the referrals of an unsigned zone";
}

}  // namespace
}  // namespace sluice::dns
