#include "tools/sluiced/memory_limit.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "config/base/file.h"

namespace sluice {
namespace {

// Version 1 says "no limit" as the largest number of whole pages.
constexpr std::uint64_t kNoLimit = 1ULL << 62;

std::optional<std::uint64_t> number_in(const std::string& file) {
  const auto text = base::read_file(file);
  if (!text) return {};
  std::uint64_t octets = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), octets);
  if (read.ec != std::errc() || octets >= kNoLimit) return {};  // "max"
  return octets;
}

// A group's limit holds for all below it.
std::optional<std::uint64_t> lowest(const std::string& mount, std::string group,
                                    const std::string& file) {
  std::optional<std::uint64_t> lowest;
  for (;;) {
    if (const auto limit = number_in(mount + group + "/" + file)) {
      lowest = std::min(lowest.value_or(*limit), *limit);
    }
    if (group.empty()) return lowest;
    group.resize(group.find_last_of('/'));
  }
}

// Whether "memory" is among the comma-separated controllers.
bool has_memory(std::string_view controllers) {
  while (!controllers.empty()) {
    const std::string_view each = controllers.substr(0, controllers.find(','));
    if (each == "memory") return true;
    controllers.remove_prefix(std::min(controllers.size(), each.size() + 1));
  }
  return false;
}

}  // namespace

// Lines of /proc/self/cgroup: "0::/system.slice/x.service" of version 2, "7:memory:/x" of 1.
std::optional<std::uint64_t> cgroup_memory_limit(const std::string& root) {
  const auto text = base::read_file(root + "/proc/self/cgroup");
  if (!text) return {};
  std::optional<std::uint64_t> limit;
  const auto take = [&limit](std::optional<std::uint64_t> other) {
    if (other) limit = std::min(limit.value_or(*other), *other);
  };
  for (std::string_view rest(*text); !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    std::string group(line.substr(second + 1));
    if (group == "/" || !group.starts_with('/')) group.clear();
    if (controllers.empty()) take(lowest(root + "/sys/fs/cgroup", group, "memory.max"));
    if (has_memory(controllers)) {
      take(lowest(root + "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes"));
    }
  }
  return limit;
}

ResidentMemory::ResidentMemory() : statm_(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)) {}

std::uint64_t ResidentMemory::octets() const noexcept {
  static const auto kPage = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::array<char, 128> text{};  // seven numbers of 20 digits at most, the second is wanted
  const ssize_t size = ::pread(statm_.get(), text.data(), text.size(), 0);
  if (size <= 0) return 0;
  const char* const end = text.data() + size;
  const char* const second = std::find<const char*>(text.data(), end, ' ');
  std::uint64_t pages = 0;
  if (second != end) std::from_chars(second + 1, end, pages);
  return pages * kPage;
}

}  // namespace sluice
