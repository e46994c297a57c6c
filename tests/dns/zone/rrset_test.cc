#include "dns/zone/rrset.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::dns {
namespace {

using testing::ElementsAre;

Name name(const std::string& text) {
  return *Name::parse(text);
}

std::vector<std::uint8_t> rdata(std::vector<std::uint8_t> before, const std::string& target) {
  const Name end = name(target);
  before.insert(before.end(), end.wire().begin(), end.wire().end());
  return before;
}

std::vector<std::uint8_t> render(const std::string& owner, RRType type,
                                 const std::vector<std::uint8_t>& rdata) {
  RRsetRenderer renderer(name(owner), type, 5);
  renderer.add(rdata);
  return {renderer.octets().begin(), renderer.octets().end()};
}

TEST(RRsetRenderer, PointsAtTheQuestionForTheOwner) {
  EXPECT_THAT(render("a.example", RRType::A, {1, 2, 3, 4}),
              ElementsAre(0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 1, 2, 3, 4));
}

TEST(RRsetRenderer, CompressesNamesOfRfc1035AgainstTheOwner) {
  RRsetRenderer renderer(name("a.example"), RRType::MX, 5);
  renderer.add(rdata({0, 10}, "mx.example"));
  EXPECT_THAT(std::vector(renderer.octets().begin() + 12, renderer.octets().end()),
              ElementsAre(0, 10, 2, 'm', 'x', 0xC0, 14));
  EXPECT_EQ(renderer.octets()[11], 7) << "RDLENGTH";
  EXPECT_THAT(renderer.pointers(), ElementsAre(17));
  ASSERT_EQ(renderer.targets().size(), 1U);
  EXPECT_EQ(renderer.targets()[0].position, 14);
  EXPECT_EQ(renderer.targets()[0].name, name("mx.example"));
}

TEST(RRsetRenderer, LeavesOtherNamesAsTheyAre) {
  const auto srv = rdata({0, 1, 0, 2, 0, 3}, "b.example");  // RFC 2782
  EXPECT_EQ(render("a.example", RRType::SRV, srv).size(), 12 + srv.size());
  const auto cname = rdata({}, "b.example");  // others point into it
  EXPECT_EQ(render("a.example", RRType::CNAME, cname).size(), 12 + cname.size());
  const auto wildcard = rdata({0, 1}, "b.example");  // its owner has another length when it answers
  EXPECT_EQ(render("*.example", RRType::MX, wildcard).size(), 12 + wildcard.size());
  const auto foreign = rdata({}, "b.net");  // nothing but the root is shared
  EXPECT_EQ(render("a.example", RRType::NS, foreign).size(), 12 + foreign.size());
}

TEST(RRsetRenderer, KeepsTheCaseThatWasWritten) {
  EXPECT_THAT(render("example", RRType::NS, {2, 'N', 's', 7, 'e', 'X', 'a', 'm', 'p', 'l', 'e', 0}),
              ElementsAre(0xC0, 12, 0, 2, 0, 1, 0, 0, 0, 5, 0, 5, 2, 'N', 's', 0xC0, 12));
}

TEST(RRsetRenderer, SaysWhenNoMessageHoldsIt) {
  RRsetRenderer renderer(name("a.example"), RRType::TXT, 5);
  const std::vector<std::uint8_t> text(40'000, 'x');
  renderer.add(text);
  EXPECT_FALSE(renderer.too_large());
  renderer.add(text);
  EXPECT_TRUE(renderer.too_large());
  renderer.add(text);
  EXPECT_LT(renderer.octets().size(), 100'000U);
}

}  // namespace
}  // namespace sluice::dns
