#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/require.h"
#include "tools/sluice-agent/sessions/count.h"
#include "tools/sluice-agent/sessions/metric_reader.h"

// Property: any octets are a count that can be told, or a reason in one line; the same however they
// are cut into pieces. The first octet says where.
extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  if (size == 0) return 0;
  const std::string_view page(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t cut = page.empty() ? 0 : data[0] * page.size() / 256;
  agent::MetricReader whole("calls", {{"leg", "a"}});
  whole.feed(page);
  const auto count = whole.finish();
  agent::MetricReader pieces("calls", {{"leg", "a"}});
  pieces.feed(page.substr(0, cut));
  pieces.feed(page.substr(cut));
  const auto again = pieces.finish();
  fuzz::require(count.has_value() == again.has_value());
  if (count) {
    fuzz::require(*count == *again && *count <= agent::kMaxCount);
    return 0;
  }
  fuzz::require(!count.error().message.empty() && count.error().message == again.error().message);
  for (const char c : count.error().message) fuzz::require(c < 0 || c >= ' ');
  return 0;
}
