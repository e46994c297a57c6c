// A line on the agent's socket -> a request or a reason in one line, and the same for an answer.
// What is accepted, written again, is accepted again and means the same; a request has known
// members alone.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "tests/fuzz/require.h"
#include "tools/sluice-agent/control_protocol.h"

namespace {

using namespace sluice;
using namespace sluice::agent;
using nlohmann::json;

void require_words(const base::Error& error) {
  fuzz::require(!error.message.empty());
}

void require_known(std::string_view line) {
  static const std::set<std::string, std::less<>> kKnown{"v",      "command", "service",
                                                         "reason", "startup", "force"};
  const json document = json::parse(line);
  fuzz::require(document.is_object() && document.at("v") == 1);
  const bool pause = document.at("command") == "pause";
  for (const auto& [name, value] : document.items()) {
    fuzz::require(kKnown.contains(name));
    const bool of_all = name == "v" || name == "command" || name == "service";
    fuzz::require(pause || of_all);
  }
}

std::string_view without_newline(std::string_view line) {
  fuzz::require(line.ends_with('\n'));
  line.remove_suffix(1);
  fuzz::require(line.find('\n') == std::string_view::npos);  // one line, whatever is in it
  return line;
}

void request(std::string_view line) {
  const auto first = parse_request(line);
  if (!first) return require_words(first.error());
  require_known(line);
  const std::string written = render(*first);
  const auto second = parse_request(without_newline(written));
  fuzz::require(second.has_value());
  fuzz::require(second->command == first->command && second->service == first->service);
  fuzz::require(second->reason == first->reason && second->startup == first->startup);
  fuzz::require(second->force == first->force && render(*second) == written);
}

void answer(std::string_view line) {
  const auto first = parse_answer(line);
  if (!first) return require_words(first.error());
  const std::string written = render(*first);
  const auto second = parse_answer(without_newline(written));
  fuzz::require(second.has_value());
  fuzz::require(second->exit == first->exit && second->text == first->text);
  fuzz::require(second->status == first->status && render(*second) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(  // NOLINT(readability-identifier-naming)
    const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  request(line);
  answer(line);
  return 0;
}
