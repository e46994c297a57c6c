// A key and a value that stand under the prefix of a cluster, "KEY\nVALUE" (or, without a line
// feed, a key that was deleted) -> a record, or one line that says what is wrong. A record that is
// written again has the same key, reads as the same and writes the same.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "config/base/foreign_text.h"
#include "health/cluster/records.h"
#include "tests/fuzz/require.h"

namespace {

using namespace sluice;
using namespace sluice::cluster;
using fuzz::require;

std::string_view unique_of(std::string_view key) {
  constexpr std::size_t kTime = 16;  // 15 digits and a hyphen
  const std::size_t slash = key.rfind('/');
  // A key of the audit may have more slashes behind its time.
  const std::size_t second = key.starts_with("audit/") ? key.find('/', 6) : slash;
  if (second == std::string_view::npos || second + 1 + kTime > key.size()) return {};
  return key.substr(second + 1 + kTime);
}

// None: it is not written, or is a deletion.
std::optional<Write> written(const Record& record, std::string_view key) {
  return std::visit(
      [&](const auto& one) -> std::optional<Write> {
        using T = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<T, Ignored> || std::is_same_v<T, ForgottenResponder> ||
                      std::is_same_v<T, ForgottenAgent>) {
          return {};
        } else if constexpr (std::is_same_v<T, health::Change>) {
          return write_of(one, unique_of(key));
        } else {
          return write_of(one);
        }
      },
      record);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const std::size_t end = octets.find('\n');
  Change change{std::string(octets.substr(0, end)), {}, 1, 0};
  if (end != std::string_view::npos) change.value = octets.substr(end + 1);

  const auto record = read_record(change);
  const Image image = read_image({change});
  if (!record) {
    require(!record.error().empty() && base::is_plain_line(record.error()));
    require(image.unreadable.size() == (change.value ? 1U : 0U));
    return 0;
  }
  require(image.unreadable.empty());
  const auto again = written(*record, change.key);
  if (!again || !change.value) return 0;
  require(again->value.has_value());
  // The time that an entry of the audit tells may be another than that in its key.
  require(again->key == change.key || change.key.starts_with("audit/"));
  const auto second = read_record({again->key, again->value, 1, 0});
  require(second.has_value() && second->index() == record->index());
  require(written(*second, again->key) == again);
  return 0;
}
