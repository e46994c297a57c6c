#include "health/api/metrics_page.h"

#include "gtest/gtest.h"

namespace sluice::health {
namespace {

TEST(LabelValue, EscapesWhatWouldEndIt) {
  EXPECT_EQ(label_value(""), "");
  EXPECT_EQ(label_value("plain"), "plain");
  EXPECT_EQ(label_value("a\"b\\c\nd"), R"(a\"b\\c\nd)");
  EXPECT_EQ(label_value("\n\n\""), R"(\n\n\")");
}

TEST(MetricsPage, WritesFamiliesAndTheirSamplesAtTheEndOfTheText) {
  std::string text = "before\n";
  MetricsPage page(text);
  page.family("doors", "gauge", "Doors by their colour.");
  page.sample({{"colour", "red"}, {"room", "a\"b"}}, 2U);
  page.sample({{"colour", "blue"}, {"room", "hall"}}, 0.25);
  page.counter("bells_total", "Times that it rang.", 7U);
  page.gauge("heat_celsius", "How warm it is.", -1.5);
  EXPECT_EQ(text,
            "before\n"
            "# HELP doors Doors by their colour.\n"
            "# TYPE doors gauge\n"
            "doors{colour=\"red\",room=\"a\\\"b\"} 2\n"
            "doors{colour=\"blue\",room=\"hall\"} 0.25\n"
            "# HELP bells_total Times that it rang.\n"
            "# TYPE bells_total counter\n"
            "bells_total 7\n"
            "# HELP heat_celsius How warm it is.\n"
            "# TYPE heat_celsius gauge\n"
            "heat_celsius -1.5\n");
}

TEST(MetricsPage, WritesNumbersAsTheyAre) {
  std::string text;
  MetricsPage page(text);
  page.sample({}, 18'446'744'073'709'551'615U);
  page.sample({}, std::uint8_t{255});
  page.sample({}, 1'795'867'092.53);
  page.sample({}, 0.0001);
  page.sample({}, 12.0);
  EXPECT_EQ(text, " 18446744073709551615\n 255\n 1795867092.53\n 0.0001\n 12\n");
}

TEST(MetricsPage, CountsHistogramsCumulatively) {
  Histogram durations;
  durations.observe(std::chrono::microseconds(90));
  durations.observe(std::chrono::microseconds(100));
  durations.observe(std::chrono::microseconds(101));
  durations.observe(std::chrono::seconds(60));
  std::string text;
  MetricsPage(text).histogram("waits_seconds", "How long.", durations);
  EXPECT_EQ(text,
            "# HELP waits_seconds How long.\n"
            "# TYPE waits_seconds histogram\n"
            "waits_seconds_bucket{le=\"0.0001\"} 2\n"
            "waits_seconds_bucket{le=\"0.00025\"} 3\n"
            "waits_seconds_bucket{le=\"0.0005\"} 3\n"
            "waits_seconds_bucket{le=\"0.001\"} 3\n"
            "waits_seconds_bucket{le=\"0.0025\"} 3\n"
            "waits_seconds_bucket{le=\"0.005\"} 3\n"
            "waits_seconds_bucket{le=\"0.01\"} 3\n"
            "waits_seconds_bucket{le=\"0.025\"} 3\n"
            "waits_seconds_bucket{le=\"0.05\"} 3\n"
            "waits_seconds_bucket{le=\"0.1\"} 3\n"
            "waits_seconds_bucket{le=\"0.25\"} 3\n"
            "waits_seconds_bucket{le=\"1\"} 3\n"
            "waits_seconds_bucket{le=\"2.5\"} 3\n"
            "waits_seconds_bucket{le=\"10\"} 3\n"
            "waits_seconds_bucket{le=\"+Inf\"} 4\n"
            "waits_seconds_sum 60.000291\n"
            "waits_seconds_count 4\n");
}

}  // namespace
}  // namespace sluice::health
