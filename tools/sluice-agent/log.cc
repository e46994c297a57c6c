#include "tools/sluice-agent/log.h"

#include <memory>
#include <utility>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "tools/supervisor/journal.h"

namespace sluice::agent {
void set_up_log() {
  auto logger = std::make_shared<spdlog::logger>("sluice-agent",
                                                 std::make_shared<spdlog::sinks::stderr_sink_st>());
  if (logs_to_journal()) {
    logger->set_formatter(journal_formatter());
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
