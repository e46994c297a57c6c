#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "config/base/large_pages.h"
#include "dns/wire/name.h"

namespace sluice::dns {

// Names, numbered from 0 in the order of their insertion. A few flat arrays, so that a million
// names are a few large blocks, which go back to the system when the table goes.
class NameTable {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(starts_.size()); }
  // Makes room for so many names in all.
  void reserve(std::size_t names);

  // kNone: not there.
  std::uint32_t find(const Name& name) const noexcept { return find(SuffixHashes(name), 0, name); }
  // The name's suffix without its first `suffix` labels.
  std::uint32_t find(const SuffixHashes& hashes, std::size_t suffix,
                     const Name& name) const noexcept;

  // The suffix must not be there.
  std::uint32_t insert(const SuffixHashes& hashes, std::size_t suffix, const Name& name);

  Name name(std::uint32_t number) const noexcept;
  // The name in wire form, and what SuffixHashes says of it. Valid until the next insert().
  std::span<const std::uint8_t> wire(std::uint32_t number) const noexcept;
  std::uint64_t hash(std::uint32_t number) const noexcept { return hashes_[number]; }

 private:
  struct Slot {
    std::uint32_t tag = 0;  // the upper half of the hash
    std::uint32_t number = kNone;
  };
  template <class T>
  using Large = std::vector<T, base::LargePages<T>>;

  void place(std::uint64_t hash, std::uint32_t number) noexcept;
  void resize_slots(std::size_t slots);

  Large<std::uint8_t> octets_;
  Large<std::size_t> starts_;
  Large<std::uint64_t> hashes_;
  Large<Slot> slots_;  // a power of two, at most half of them taken
};

}  // namespace sluice::dns
