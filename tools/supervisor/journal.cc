#include "tools/supervisor/journal.h"

#include <array>
#include <cstdlib>
#include <ctime>
#include <string>

#include <spdlog/pattern_formatter.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice {
namespace {

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

bool logs_to_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  return stream != nullptr && is_stream(STDERR_FILENO, stream);
}

bool is_stream(int fd, std::string_view stream) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return false;
  return stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

std::unique_ptr<spdlog::formatter> journal_formatter() {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<Priority>('*').set_pattern("%*%v");
  return formatter;
}

}  // namespace sluice
