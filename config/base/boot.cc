#include "config/base/boot.h"

#include <fstream>

#include "config/base/fnv.h"

namespace sluice::base {

Checked<std::string> read_boot_id() {
  constexpr const char* kFile = "/proc/sys/kernel/random/boot_id";
  std::ifstream stream(kFile);
  std::string id;
  if (!std::getline(stream, id) || id.empty()) {
    return failure(std::string(kFile) + ": cannot be read");
  }
  return id;
}

std::uint64_t boot_number() {
  static const std::uint64_t number = [] {
    const auto id = read_boot_id();
    if (!id) return std::uint64_t{0};
    Fnv1a hash;  // it goes to disk
    hash.add(*id);
    return hash.value();
  }();
  return number;
}

}  // namespace sluice::base
