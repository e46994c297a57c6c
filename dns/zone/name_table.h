#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dns/wire/name.h"

namespace sluice::dns {

// Names, numbered from 0 in the order of their insertion. Three flat arrays, so that a million
// names are a few large blocks, which go back to the system when the table goes.
class NameTable {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(starts_.size()); }

  // kNone: not there.
  std::uint32_t find(const Name& name) const noexcept { return find(SuffixHashes(name), 0, name); }
  // The name's suffix without its first `suffix` labels.
  std::uint32_t find(const SuffixHashes& hashes, std::size_t suffix,
                     const Name& name) const noexcept;

  // The suffix must not be there.
  std::uint32_t insert(const SuffixHashes& hashes, std::size_t suffix, const Name& name);

  Name name(std::uint32_t number) const noexcept;

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint32_t number = kNone;
  };

  std::span<const std::uint8_t> wire(std::uint32_t number) const noexcept;
  void place(std::uint64_t hash, std::uint32_t number) noexcept;
  void grow();

  std::vector<std::uint8_t> octets_;
  std::vector<std::size_t> starts_;
  std::vector<Slot> slots_;  // a power of two, at most half of them taken
};

}  // namespace sluice::dns
