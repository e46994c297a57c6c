#include "tools/sluiced/open_files.h"

#include <algorithm>

#include <sys/resource.h>

namespace sluice {
namespace {

// A loop for each of 64 workers, with its wake-ups and sockets of one listen address.
constexpr std::size_t kLeastKept = 512;

}  // namespace

std::size_t raise_open_files() noexcept {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 1'024;  // Linux's usual one
  rlimit raised = files;
  raised.rlim_cur = raised.rlim_max;
  return setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : files.rlim_cur;
}

health::HttpLimits api_limits(std::size_t open_files, std::size_t dns_clients) noexcept {
  const std::size_t taken = dns_clients + std::max(kLeastKept, open_files / 16);
  const std::size_t left =
      std::max({open_files - std::min(open_files, taken), open_files / 4, std::size_t{2}});
  health::HttpLimits limits;
  limits.local_connections = std::min(limits.local_connections, left / 2);
  limits.connections = std::min(limits.connections, left - limits.local_connections);
  return limits;
}

}  // namespace sluice
