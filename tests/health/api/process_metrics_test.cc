#include "health/api/process_metrics.h"

#include <chrono>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace sluice::health {
namespace {

double value_of(const std::string& name) {
  std::string page;
  append_process_metrics(page);
  const std::size_t at = page.find("\n" + name + " ");
  EXPECT_NE(at, std::string::npos) << name << " in\n" << page;
  return at == std::string::npos ? -1 : std::stod(page.substr(at + name.size() + 2));
}

TEST(ProcessMetrics, CountsFileDescriptors) {
  const double before = value_of("process_open_fds");
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(value_of("process_open_fds"), before + 1);
  ::close(fd);
  EXPECT_EQ(value_of("process_open_fds"), before);
  EXPECT_GT(value_of("process_max_fds"), before);
}

TEST(ProcessMetrics, CountsMemoryInOctets) {
  constexpr std::size_t kOctets = 64U << 20U;
  constexpr double kMost = 0.9 * kOctets;  // other pages may leave meanwhile
  const double resident = value_of("process_resident_memory_bytes");
  const double all = value_of("process_virtual_memory_bytes");
  void* const memory = ::mmap(nullptr, kOctets, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  EXPECT_GT(value_of("process_resident_memory_bytes"), resident + kMost);
  EXPECT_GT(value_of("process_virtual_memory_bytes"), all + kMost);
  ::munmap(memory, kOctets);
}

TEST(ProcessMetrics, CpuTimeGrowsAsItIsSpent) {
  const double before = value_of("process_cpu_seconds_total");
  EXPECT_GE(before, 0);
  timespec spent{};
  const auto used = [&spent] {
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
  };
  const double until = used() + 0.05;
  while (used() < until) {
  }
  const double grown = value_of("process_cpu_seconds_total") - before;
  EXPECT_GT(grown, 0.04);
  EXPECT_LT(grown, 20);
}

TEST(ProcessMetrics, KnowsWhenTheProcessStarted) {
  const double start = value_of("process_start_time_seconds");
  const auto now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
  // Some seconds around: the kernel rounds the machine's start, and the test may have been at it
  // for a while.
  EXPECT_LT(start, now.count() + 2);
  EXPECT_GT(start, now.count() - 3600);
  EXPECT_EQ(value_of("process_start_time_seconds"), start);
}

}  // namespace
}  // namespace sluice::health
