#include "tools/sluice-agent/log.h"

#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace sluice::agent {
namespace {

// sd-daemon(3): the number of syslog's priority in angle brackets.
class Priority final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&,
              spdlog::memory_buf_t& line) override {
    constexpr std::array<char, spdlog::level::n_levels> kPriority{'7', '7', '6', '4',
                                                                  '3', '2', '6'};
    const std::array<char, 3> text{'<', kPriority.at(static_cast<std::size_t>(message.level)), '>'};
    line.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<Priority>();
  }
};

}  // namespace

void set_up_log() {
  auto logger = std::make_shared<spdlog::logger>("sluice-agent",
                                                 std::make_shared<spdlog::sinks::stderr_sink_st>());
  if (std::getenv("JOURNAL_STREAM") != nullptr) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<Priority>('*').set_pattern("%*%v");
    logger->set_formatter(std::move(formatter));
  } else {
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
  }
  spdlog::set_default_logger(std::move(logger));
}

std::string printable(std::string_view text, std::size_t limit) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  const bool cut = text.size() > limit;
  std::string line(text.substr(0, limit));
  for (char& c : line) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7f) c = ' ';
  }
  return cut ? line + "..." : line;
}

std::optional<unsigned> LogLimit::admit(std::string_view kind, base::MonoTime now) {
  const auto found = kinds_.find(kind);
  if (found == kinds_.end()) {
    kinds_.emplace(std::string(kind), Kind{now, 0});
    return 0;
  }
  if (now - found->second.said < kInterval) {
    ++found->second.left_out;
    return {};
  }
  return std::exchange(found->second, Kind{now, 0}).left_out;
}

void LogLimit::warn(std::string_view kind, base::MonoTime now, std::string_view text) {
  const auto left_out = admit(kind, now);
  if (!left_out) return;
  if (*left_out == 0) {
    spdlog::warn("{}", text);
  } else {
    spdlog::warn("{} ({} more like this were not logged)", text, *left_out);
  }
}

}  // namespace sluice::agent
