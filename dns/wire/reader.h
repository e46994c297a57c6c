#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice::dns {

// Reads foreign octets in network order. Reading past the end yields zero and makes the reader fail
// for good, so a parser reads a whole structure and asks ok() once. There is no unchecked read.
class WireReader {
 public:
  explicit WireReader(std::span<const std::uint8_t> wire) noexcept : wire_(wire) {}

  std::uint8_t u8() noexcept { return take(1) ? wire_[offset_ - 1] : std::uint8_t{0}; }
  std::uint16_t u16() noexcept {
    if (!take(2)) return 0;
    return static_cast<std::uint16_t>((wire_[offset_ - 2] << 8) | wire_[offset_ - 1]);
  }
  std::uint32_t u32() noexcept {
    const std::uint32_t high = u16();
    return (high << 16) | u16();
  }
  // `count` octets, or none at all when fewer are left.
  std::span<const std::uint8_t> octets(std::size_t count) noexcept {
    return take(count) ? wire_.subspan(offset_ - count, count) : std::span<const std::uint8_t>();
  }
  void skip(std::size_t count) noexcept { take(count); }

  // What is left to read; nothing once the reader failed.
  std::span<const std::uint8_t> rest() const noexcept {
    return ok_ ? wire_.subspan(offset_) : std::span<const std::uint8_t>();
  }
  std::size_t offset() const noexcept { return offset_; }
  bool at_end() const noexcept { return offset_ == wire_.size(); }
  bool ok() const noexcept { return ok_; }

 private:
  bool take(std::size_t count) noexcept {
    ok_ = ok_ && count <= wire_.size() - offset_;
    if (ok_) offset_ += count;
    return ok_;
  }

  std::span<const std::uint8_t> wire_;
  std::size_t offset_ = 0;
  bool ok_ = true;
};

}  // namespace sluice::dns
