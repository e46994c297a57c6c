#include "tools/sluice-agent/sessions/file_counter.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/base/duration.h"
#include "config/base/file_descriptor.h"
#include "tools/sluice-agent/sessions/count.h"

namespace sluice::agent {
namespace {

// A number and a line's end have 17 octets; who writes more has written something else.
constexpr std::size_t kMaxText = 256;

base::Unexpected<base::Error> unreadable() {
  return base::failure(std::string("can't be read: ") + std::strerror(errno));
}

}  // namespace

FileCounter::FileCounter(config::FileCount source, const base::Clock& clock)
    : source_(std::move(source)), clock_(clock) {}

void FileCounter::read(base::MonoTime now) {
  auto count = look(clock_.now());
  if (!count) count = base::failure(source_.path + ": " + count.error().message);
  tell(std::move(count), now);
}

base::Checked<std::uint64_t> FileCounter::look(const base::Now& now) {
  // Without O_NONBLOCK the opening of a pipe waits for who writes to it.
  const base::FileDescriptor file(
      open(source_.path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (file.get() < 0) return unreadable();
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return unreadable();
  if (!S_ISREG(status.st_mode)) return base::failure("is no regular file");

  const Version version{status.st_dev, status.st_ino, status.st_mtim.tv_sec,
                        status.st_mtim.tv_nsec};
  if (version_ != version) {
    version_ = version;
    since_ = now.mono;
  }
  const base::WallTime written{std::chrono::seconds(version.seconds)};
  const base::Duration age =
      std::max(now.wall - written, std::chrono::floor<base::Duration>(now.mono - since_));
  if (age > source_.max_age) {
    return base::failure("was not written for " +
                         base::to_text(std::chrono::floor<std::chrono::seconds>(age)) +
                         ", max_age is " + base::to_text(source_.max_age));
  }

  std::array<char, kMaxText + 1> buffer{};
  const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
  if (count < 0) return unreadable();
  const std::string_view text(buffer.data(), static_cast<std::size_t>(count));
  if (text.size() > kMaxText) return base::failure("has more than a number");
  auto number = parse_count(text);
  if (!number) return base::failure("has " + number.error().message);
  return number;
}

}  // namespace sluice::agent
