#include "health/api/metrics.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::health {
namespace {

using ::testing::HasSubstr;

TEST(MetricsText, EscapesLabels) {
  EXPECT_EQ(label_value("a\"b\\c\nd"), R"(a\"b\\c\nd)");
}

TEST(MetricsText, CountsHistogramsCumulatively) {
  Histogram acks;
  acks.observe(std::chrono::microseconds(90));
  acks.observe(std::chrono::microseconds(100));
  acks.observe(std::chrono::microseconds(101));
  acks.observe(std::chrono::seconds(60));
  const std::string page = metrics_text({}, acks, nullptr);
  EXPECT_THAT(page, HasSubstr("sluice_drain_ack_seconds_bucket{le=\"0.0001\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("sluice_drain_ack_seconds_bucket{le=\"0.00025\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("sluice_drain_ack_seconds_bucket{le=\"10\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("sluice_drain_ack_seconds_bucket{le=\"+Inf\"} 4\n"));
  EXPECT_THAT(page, HasSubstr("sluice_drain_ack_seconds_sum 60.000291\n"));
  EXPECT_THAT(page, HasSubstr("sluice_drain_ack_seconds_count 4\n"));
  EXPECT_THAT(page, ::testing::Not(HasSubstr("sluice_store_commit_seconds"))) << "no store";
}

TEST(MetricsText, NamesEachFamilyOnceAndEndsEachLine) {
  const Histogram none;
  const std::string page = metrics_text({}, none, &none);
  EXPECT_TRUE(page.ends_with('\n'));
  std::size_t at = 0;
  while ((at = page.find("# TYPE ", at)) != std::string::npos) {
    const std::string line = page.substr(at, page.find(' ', at + 7) - at + 1);
    EXPECT_EQ(page.find(line, at + 1), std::string::npos) << line;
    ++at;
  }
}

}  // namespace
}  // namespace sluice::health
