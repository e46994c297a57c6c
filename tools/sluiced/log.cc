#include "tools/sluiced/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "config/base/foreign_text.h"
#include "tools/supervisor/journal.h"

namespace sluice::log {

void start() {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("sluiced"));
  if (logs_to_journal()) {
    spdlog::set_formatter(journal_formatter());
  } else {
    spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
  }
  spdlog::flush_on(spdlog::level::info);
}

void info(std::string_view line) {
  spdlog::info("{}", line);
}
void warning(std::string_view line) {
  spdlog::warn("{}", line);
}
void error(std::string_view line) {
  spdlog::error("{}", line);
}

std::string escaped(std::string_view text) {
  return base::escaped(text);
}

}  // namespace sluice::log
