#include "tools/sluice-agent/sessions/command_counter.h"

#include <charconv>
#include <utility>

#include "tools/sluice-agent/log.h"

namespace sluice::agent {
namespace {

constexpr std::uint64_t kMaxCount = (1ULL << 53) - 1;
constexpr std::string_view kBlanks = " \t\r\n";

}  // namespace

base::Checked<std::uint64_t> parse_count(std::string_view text) {
  const std::string said = printable(text, 60);
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return base::failure("printed nothing");
  text = text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
    return base::failure("printed \"" + said + "\", not one whole number");
  }
  if (error != std::errc{} || count > kMaxCount) {
    return base::failure("printed " + said + ", more than can be told");
  }
  return count;
}

CommandCounter::CommandCounter(uv_loop_t* loop, config::Command command, base::Duration limit)
    : loop_(loop), command_(std::move(command)), limit_(limit) {}

void CommandCounter::run() {
  if (process_ && !process_->ended()) return;
  process_ = std::make_unique<Process>(loop_, command_, limit_,
                                       [this](const ProcessResult& result) { finish(result); });
}

void CommandCounter::finish(const ProcessResult& result) {
  count_.reset();
  failure_.clear();
  if (!result.passed()) {
    failure_ = result.text();
    return;
  }
  const auto count = parse_count(result.output);
  if (count) {
    count_ = *count;
  } else {
    failure_ = count.error().message;
  }
}

}  // namespace sluice::agent
