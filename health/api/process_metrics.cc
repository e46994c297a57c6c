#include "health/api/process_metrics.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include <sys/resource.h>
#include <unistd.h>

#include "config/base/file.h"
#include "health/api/metrics_page.h"

namespace sluice::health {
namespace {

// The word at `index` of those that spaces and line feeds separate, as a number.
std::optional<std::uint64_t> number_at(std::string_view text, std::size_t index) {
  constexpr std::string_view kBetween = " \n";
  for (;; --index) {
    text.remove_prefix(std::min(text.find_first_not_of(kBetween), text.size()));
    const std::string_view word = text.substr(0, text.find_first_of(kBetween));
    if (word.empty()) return std::nullopt;
    if (index == 0) {
      std::uint64_t number = 0;
      const auto end = std::from_chars(word.data(), word.data() + word.size(), number);
      if (end.ec != std::errc{} || end.ptr != word.data() + word.size()) return std::nullopt;
      return number;
    }
    text.remove_prefix(word.size());
  }
}

// The kernel's page or clock tick; -1 is impossible for both.
double system_value(int name) {
  return static_cast<double>(::sysconf(name));
}

// proc(5), statm: all pages, resident pages.
std::optional<std::uint64_t> pages(std::size_t index) {
  const auto statm = base::read_file("/proc/self/statm");
  return statm ? number_at(*statm, index) : std::nullopt;
}

std::optional<std::size_t> open_fds() {
  std::error_code failed;
  std::filesystem::directory_iterator each("/proc/self/fd", failed);
  if (failed) return std::nullopt;
  std::size_t count = 0;
  for (; each != std::filesystem::directory_iterator(); each.increment(failed)) ++count;
  if (failed || count == 0) return std::nullopt;
  return count - 1;  // the one that reads the folder
}

// In seconds since 1970: when the machine started, and how long after it this process did.
std::optional<double> start_time() {
  const auto self = base::read_file("/proc/self/stat");
  const auto machine = base::read_file("/proc/stat");
  if (!self || !machine) return std::nullopt;
  // The program's name, the second field, may hold spaces and parentheses; the start is the 22nd.
  const std::size_t name_end = self->rfind(')');
  const std::size_t boot = machine->find("\nbtime ");
  if (name_end == std::string::npos || boot == std::string::npos) return std::nullopt;
  constexpr std::size_t kStartAfterName = 22 - 3;
  const auto ticks = number_at(std::string_view(*self).substr(name_end + 1), kStartAfterName);
  const auto booted = number_at(std::string_view(*machine).substr(boot), 1);
  if (!ticks || !booted) return std::nullopt;
  return static_cast<double>(*booted) + static_cast<double>(*ticks) / system_value(_SC_CLK_TCK);
}

std::optional<double> cpu_seconds() {
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) != 0) return std::nullopt;
  constexpr double kMicrosecondsPerSecond = 1e6;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) / kMicrosecondsPerSecond;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace

void append_process_metrics(std::string& page) {
  MetricsPage metrics(page);
  if (const auto seconds = cpu_seconds()) {
    metrics.counter("process_cpu_seconds_total", "Processor time, user and system.", *seconds);
  }
  const double page_octets = system_value(_SC_PAGESIZE);
  if (const auto resident = pages(1)) {
    metrics.gauge("process_resident_memory_bytes", "Memory that is in RAM.",
                  static_cast<double>(*resident) * page_octets);
  }
  if (const auto all = pages(0)) {
    metrics.gauge("process_virtual_memory_bytes", "Address space in use.",
                  static_cast<double>(*all) * page_octets);
  }
  if (const auto count = open_fds()) {
    metrics.gauge("process_open_fds", "Open file descriptors.", *count);
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    metrics.gauge("process_max_fds", "File descriptors that may be open.", limit.rlim_cur);
  }
  if (const auto start = start_time()) {
    metrics.gauge("process_start_time_seconds", "Start of this process, in Unix time.", *start);
  }
}

}  // namespace sluice::health
