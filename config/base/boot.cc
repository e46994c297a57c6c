#include "config/base/boot.h"

#include <fstream>

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
    // FNV-1a of 64 bits, the same in every build: it goes to disk.
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char octet : *id) {
      hash = (hash ^ static_cast<unsigned char>(octet)) * 0x100000001b3;
    }
    return hash;
  }();
  return number;
}

}  // namespace sluice::base
