#include "tools/sluice-agent/sessions/command_counter.h"

#include <utility>

#include "tools/sluice-agent/sessions/count.h"

namespace sluice::agent {
namespace {

base::Checked<std::uint64_t> count_of(const ProcessResult& result) {
  if (!result.passed()) return base::failure(result.text());
  auto count = parse_count(result.output);
  if (!count) return base::failure("printed " + count.error().message);
  return count;
}

}  // namespace

CommandCounter::CommandCounter(uv_loop_t* loop, config::Command command, base::Duration limit)
    : loop_(loop), command_(std::move(command)), limit_(limit) {}

void CommandCounter::read(base::MonoTime now) {
  if (process_ && !process_->ended()) return;
  process_ = std::make_unique<Process>(
      loop_, command_, limit_,
      [this, now](const ProcessResult& result) { tell(count_of(result), now); });
}

}  // namespace sluice::agent
