#include "tools/supervisor/journal.h"

#include <array>
#include <cstdlib>
#include <string>

#include <spdlog/details/log_msg.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice {
namespace {

class JournalFormatter final : public spdlog::formatter {
 public:
  // Each line of a message: the journal takes them one by one.
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    constexpr std::array<char, spdlog::level::n_levels> kPriority{'7', '7', '6', '4',
                                                                  '3', '2', '6'};
    const std::array<char, 3> head{'<', kPriority.at(static_cast<std::size_t>(message.level)), '>'};
    std::string_view rest(message.payload.data(), message.payload.size());
    while (true) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      out.append(head.data(), head.data() + head.size());
      out.append(line.data(), line.data() + line.size());
      out.push_back('\n');
      if (line.size() == rest.size()) return;
      rest.remove_prefix(line.size() + 1);
    }
  }
  std::unique_ptr<formatter> clone() const override { return std::make_unique<JournalFormatter>(); }
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
  return std::make_unique<JournalFormatter>();
}

}  // namespace sluice
