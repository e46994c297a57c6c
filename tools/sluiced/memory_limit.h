#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/base/file_descriptor.h"

namespace sluice {

// What the kernel lets the process's control group have (cgroups(7)): the lowest limit from its own
// group up to the root, of version 2 (memory.max) or version 1 (memory.limit_in_bytes). Nothing
// where no limit is set, or where that can't be read. `root` stands before each path, for tests.
std::optional<std::uint64_t> cgroup_memory_limit(const std::string& root = {});

// How much of this process is in RAM (proc(5), statm). Keeps the file open: it is asked when there
// are no descriptors, too.
class ResidentMemory {
 public:
  ResidentMemory();
  // 0 when the kernel does not say.
  std::uint64_t octets() const noexcept;

 private:
  base::FileDescriptor statm_;
};

}  // namespace sluice
