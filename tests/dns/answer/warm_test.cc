#include "dns/answer/warm.h"

#include "gtest/gtest.h"

#include "config/base/snapshot.h"
#include "dns/zone/zone_set.h"
#include "tests/dns/answer/serving_fixture.h"

namespace sluice::dns {
namespace {

using Octets = std::vector<std::uint8_t>;

// Enough names to be large.
std::string many_records() {
  std::string records(fixture::kRecords);
  for (int number = 0; number < 48'000; ++number) {
    records += "n" + std::to_string(number) + " 300 IN A 192.0.2.1\n";
  }
  return records;
}

TEST(Warm, IsForManyNamesAlone) {
  EXPECT_FALSE(fixture::zones_of(fixture::pool_config())->is_large());
  EXPECT_TRUE(fixture::zones_of(fixture::pool_config(3, many_records()))->is_large());
}

TEST(Warm, ChangesNoAnswerAndSurvivesForeignOctets) {
  fixture::Serving serving(fixture::pool_config(3, many_records()));
  base::SnapshotReader<ServingSnapshot> reader(serving.publisher().cell());
  const ServingSnapshot& snapshot = reader.refresh();
  const Octets good{0,   1,   0,   0,   0,   1,   0,   0,   0,   0,   0,   0,   6,   'p',
                    'o', 'o', 'l', '0', '1', 7,   'c', 'o', 'n', 't', 'o', 's', 'o', 7,
                    'e', 'x', 'a', 'm', 'p', 'l', 'e', 0,   0,   1,   0,   1};
  std::vector<Octets> queries(kMaxWarm, good);
  for (std::size_t i = 0; i + 4 < queries.size(); ++i) {
    queries[i].resize(i % (good.size() + 1));                                // cut everywhere
    if (i > 12 && queries[i].size() > 12) queries[i][12] = 0xFF - i % 0x40;  // no such labels
  }
  std::vector<std::span<const std::uint8_t>> batch(queries.begin(), queries.end());
  Octets before(512);
  Octets after(512);
  const QueryContext context;
  const Answered cold = respond(snapshot, context, good, before);
  for (std::size_t count = 0; count <= batch.size(); ++count) {
    warm(snapshot, std::span(batch).first(count));
  }
  const Answered warmed = respond(snapshot, context, good, after);
  EXPECT_GT(cold.size, good.size());
  EXPECT_EQ(cold.size, warmed.size);
  EXPECT_EQ(before, after);
}

}  // namespace
}  // namespace sluice::dns
