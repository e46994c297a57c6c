#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace sluice::dns {

inline void store_u16(std::uint8_t* at, std::uint16_t value) noexcept {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}
inline void store_u32(std::uint8_t* at, std::uint32_t value) noexcept {
  store_u16(at, static_cast<std::uint16_t>(value >> 16));
  store_u16(at + 2, static_cast<std::uint16_t>(value));
}
inline std::uint16_t load_u16(const std::uint8_t* at) noexcept {
  return static_cast<std::uint16_t>((at[0] << 8) | at[1]);
}
inline std::uint32_t load_u32(const std::uint8_t* at) noexcept {
  return (std::uint32_t{load_u16(at)} << 16) | load_u16(at + 2);
}

// Writes a message in network order into a room of fixed size. What does not fit is not written,
// not even in part: append() says so, and the caller decides what that means for the message.
class WireWriter {
 public:
  explicit WireWriter(std::span<std::uint8_t> room) noexcept : room_(room) {}

  std::size_t size() const noexcept { return size_; }
  std::size_t left() const noexcept { return room_.size() - size_; }
  bool fits(std::size_t count) const noexcept { return count <= left(); }

  // Room for `count` octets at the end of the message, to be filled by the caller at once; null
  // when they do not fit.
  std::uint8_t* append(std::size_t count) noexcept {
    if (!fits(count)) return nullptr;
    std::uint8_t* at = room_.data() + size_;
    size_ += count;
    return at;
  }

  // Octets that were written before.
  std::uint8_t* at(std::size_t offset) noexcept {
    assert(offset <= size_);
    return room_.data() + offset;
  }

 private:
  std::span<std::uint8_t> room_;
  std::size_t size_ = 0;
};

}  // namespace sluice::dns
