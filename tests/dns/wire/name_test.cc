#include "dns/wire/name.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dns/ldns.h"

namespace sluice::dns {
namespace {

std::vector<std::uint8_t> wire_of(const std::string& text) {
  const LdnsRdf name(ldns_dname_new_frm_str(text.c_str()));
  const std::uint8_t* octets = ldns_rdf_data(name.get());
  return {octets, octets + ldns_rdf_size(name.get())};
}

base::Result<Name, NameError> read_name(const std::vector<std::uint8_t>& wire) {
  WireReader reader(wire);
  return Name::read(reader);
}

Name name(const std::string& text) {
  return *Name::parse(text);
}

TEST(Name, ReadsWhatLdnsWrites) {
  for (const char* text : {".", "org.", "www.example.org.", "_sip._tcp.pool01.contoso.example.",
                           "a\\.b.example.", "\\000\\255.example."}) {
    const auto wire = wire_of(text);
    const auto parsed = read_name(wire);
    ASSERT_TRUE(parsed) << text;
    EXPECT_TRUE(std::ranges::equal(parsed->wire(), wire)) << text;
  }
}

TEST(Name, FoldsTheCaseOfLettersAndOfNothingElse) {  // RFC 4343 section 3
  std::vector<std::uint8_t> wire;
  for (int block = 0; block < 3; ++block) {
    wire.push_back(63);
    for (int octet = 0; octet < 63; ++octet) {
      wire.push_back(static_cast<std::uint8_t>(block * 63 + octet));
    }
  }
  wire.push_back(0);
  const auto parsed = read_name(wire);
  ASSERT_TRUE(parsed);
  for (std::size_t at = 0; at < wire.size(); ++at) {
    const bool upper = wire[at] >= 'A' && wire[at] <= 'Z';
    ASSERT_EQ(parsed->wire()[at], upper ? wire[at] + 32 : wire[at]) << "octet " << int{wire[at]};
  }
}

TEST(Name, RejectsEveryTruncation) {
  const auto whole = wire_of("_sip._tcp.pool01.contoso.example.");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto parsed =
        read_name({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    ASSERT_FALSE(parsed) << size;
    EXPECT_EQ(parsed.error(), NameError::Truncated);
  }
}

TEST(Name, TakesLabelsAndNamesUpToTheirLimits) {  // RFC 1035 section 2.3.4
  std::vector<std::uint8_t> wire(1 + 63 + 1, 'a');
  wire.front() = 63;
  wire.back() = 0;
  EXPECT_TRUE(read_name(wire));
  wire.front() = 64;
  EXPECT_EQ(read_name(wire).error(), NameError::BadLabel);

  std::vector<std::uint8_t> longest;
  for (int label = 0; label < 127; ++label) longest.insert(longest.end(), {1, 'x'});
  longest.push_back(0);
  ASSERT_EQ(longest.size(), Name::kMaxOctets);
  ASSERT_TRUE(read_name(longest));
  EXPECT_EQ(read_name(longest)->labels(), Name::kMaxLabels);
  longest.insert(longest.begin(), {1, 'x'});
  EXPECT_EQ(read_name(longest).error(), NameError::TooLong);
}

TEST(Name, RejectsCompressionAndUnassignedLabelTypes) {
  EXPECT_EQ(read_name({0xC0, 0x0C}).error(), NameError::Compressed);
  EXPECT_EQ(read_name({1, 'a', 0xC0, 0x0C}).error(), NameError::Compressed);
  EXPECT_EQ(read_name({0x41, 'a', 0}).error(), NameError::BadLabel);
  EXPECT_EQ(read_name({0x80, 'a', 0}).error(), NameError::BadLabel);
}

TEST(Name, AfterAnErrorTheReaderStandsWhereItWas) {
  const std::vector<std::uint8_t> wire = {3, 'a', 'b'};
  WireReader reader(wire);
  EXPECT_FALSE(Name::read(reader));
  EXPECT_EQ(reader.offset(), 0U);
}

TEST(Name, ParsesTheTextOfAConfiguration) {
  EXPECT_EQ(name("www.Example.org").to_string(), "www.example.org");
  EXPECT_EQ(name("www.example.org."), name("www.example.org"));
  EXPECT_EQ(name(".").size(), 1U);
  EXPECT_EQ(name(".").to_string(), ".");
  EXPECT_EQ(Name::parse("").error(), NameError::EmptyLabel);
  EXPECT_EQ(Name::parse("a..b").error(), NameError::EmptyLabel);
  EXPECT_EQ(Name::parse(".a").error(), NameError::EmptyLabel);
  EXPECT_EQ(Name::parse("a..").error(), NameError::EmptyLabel);
  EXPECT_EQ(Name::parse(std::string(64, 'a')).error(), NameError::BadLabel);
  const std::string half = std::string(63, 'a') + "." + std::string(63, 'b') + ".";
  EXPECT_EQ(name(half + std::string(63, 'c') + "." + std::string(61, 'd')).size(), 255U);
  EXPECT_EQ(Name::parse(half + std::string(63, 'c') + "." + std::string(62, 'd')).error(),
            NameError::TooLong);
}

TEST(Name, ShowsUnprintableOctetsEscaped) {
  EXPECT_EQ(read_name({4, 'a', '.', 7, '\\', 0})->to_string(), "a\\.\\007\\\\");
}

TEST(Name, KnowsItsAncestors) {
  EXPECT_TRUE(name("www.example.org").is_within(name("example.org")));
  EXPECT_TRUE(name("example.org").is_within(name("example.org")));
  EXPECT_TRUE(name("example.org").is_within(name(".")));
  EXPECT_FALSE(name("example.org").is_within(name("www.example.org")));
  EXPECT_FALSE(name("wwwexample.org").is_within(name("example.org"))) << "labels, not letters";
  EXPECT_EQ(name("www.example.org").parent(), name("example.org"));
  EXPECT_TRUE(name("*.example.org").is_wildcard());
  EXPECT_FALSE(name("a.*.org").is_wildcard());
}

TEST(SuffixHashes, AreThoseOfTheSuffixesAlone) {
  Name whole = name("_sip._tcp.a-rather-long-label-of-a-pool.contoso.example");
  const SuffixHashes hashes(whole);
  Name suffix = whole;
  for (std::size_t index = 0; index < hashes.labels(); ++index, suffix = suffix.parent()) {
    EXPECT_EQ(SuffixHashes(suffix).hash(0), hashes.hash(index));
    EXPECT_TRUE(std::ranges::equal(whole.wire().subspan(hashes.offset(index)), suffix.wire()));
  }
  EXPECT_EQ(hashes.hash(hashes.labels()), SuffixHashes(Name()).hash(0));
}

TEST(SuffixHashes, DifferForNeighbours) {
  std::set<std::uint64_t> seen;
  std::set<std::uint64_t> low_bits;
  for (int number = 0; number < 4096; ++number) {
    const Name host = name("fe" + std::to_string(number) + ".pool.example");
    seen.insert(SuffixHashes(host).hash(0));
    low_bits.insert(SuffixHashes(host).hash(0) & 8191);
  }
  EXPECT_EQ(seen.size(), 4096U);
  // 4096 balls in 8192 boxes: 3223 boxes are hit on average.
  EXPECT_GT(low_bits.size(), 3000U);
  EXPECT_NE(SuffixHashes(name("ab.c")).hash(0), SuffixHashes(name("a.bc")).hash(0));
}

}  // namespace
}  // namespace sluice::dns
