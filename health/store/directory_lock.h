#pragma once

#include <string>
#include <utility>

#include "config/base/error.h"

namespace sluice::health {

// Makes the store's directory when it is missing (0750: reasons and names of servers are nobody
// else's), durably.
base::Checked<base::Done> make_directory(const std::string& directory);

// Makes creations and renames in `directory` durable.
base::Checked<base::Done> sync_directory(const std::string& directory);

// Holds DIRECTORY/lock for as long as it lives: two authorities on one store would each overwrite
// what the other acknowledged. The kernel lets go when the process ends, however it ends.
class DirectoryLock {
 public:
  // Refused at once when another process holds it; the error names it.
  static base::Checked<DirectoryLock> take(const std::string& directory);

  DirectoryLock(DirectoryLock&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_ = -1;
};

}  // namespace sluice::health
