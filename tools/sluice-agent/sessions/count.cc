#include "tools/sluice-agent/sessions/count.h"

#include <charconv>
#include <string>

#include "tools/sluice-agent/log.h"

namespace sluice::agent {

base::Checked<std::uint64_t> parse_count(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return base::failure("nothing");
  text = text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  const std::string said = printable(text, 60);
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
    return base::failure("\"" + said + "\", not one whole number");
  }
  if (error != std::errc{} || count > kMaxCount) {
    return base::failure(said + ", more than can be told");
  }
  return count;
}

}  // namespace sluice::agent
