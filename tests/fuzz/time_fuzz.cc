// A duration or a time, as operators and agents write it -> its value or nothing; a value, written
// by us, is read as itself.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/base/duration.h"
#include "health/rfc3339.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  constexpr std::chrono::hours kMost{24 * 366 * 100};  // a hundred years, at the longest
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto duration = base::parse_duration(text)) {
    fuzz::require(duration->count() >= 0 && *duration <= kMost);
    fuzz::require(base::parse_duration(base::to_text(*duration)) == *duration);
  }
  if (const auto time = health::parse_rfc3339(text)) {
    const std::string written = health::to_rfc3339(*time);
    const auto again = health::parse_rfc3339(written);
    fuzz::require(again.has_value() && health::to_rfc3339(*again) == written);
    // An offset may lead out of the four digits of a year: those are written as the last moment.
    const auto at = time->time_since_epoch();
    const bool in_range =
        at >= std::chrono::seconds(-62'167'219'200) && at < std::chrono::seconds(253'402'300'800);
    fuzz::require(!in_range || *again == *time);
  }
  return 0;
}
