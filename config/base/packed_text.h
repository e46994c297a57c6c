#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::base {

// A text, or none, in the room of a pointer and one allocation: for what a million of things keep
// and few ever look at. Reads as std::optional<std::string> does, but shows a view.
class PackedText {
 public:
  PackedText() = default;
  PackedText(std::optional<std::string> text) {
    if (text) *this = std::string_view(*text);
  }
  PackedText(PackedText&&) = default;
  PackedText& operator=(PackedText&&) = default;

  // At most 2^32 - 1 octets. One of the same length as before takes its place without allocating.
  PackedText& operator=(std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    if (!octets_ || (**this).size() != text.size()) {
      octets_.reset(new char[sizeof size + text.size()]);
      std::memcpy(octets_.get(), &size, sizeof size);
    }
    if (!text.empty()) std::memcpy(octets_.get() + sizeof size, text.data(), text.size());
    return *this;
  }

  void reset() noexcept { octets_.reset(); }

  explicit operator bool() const noexcept { return octets_ != nullptr; }
  // REQUIRES: there is one. Valid until it is assigned or reset.
  std::string_view operator*() const noexcept {
    std::uint32_t size = 0;
    std::memcpy(&size, octets_.get(), sizeof size);
    return {octets_.get() + sizeof size, size};
  }
  // REQUIRES: there is one. For octets that change and stay as many.
  char* data() noexcept { return octets_.get() + sizeof(std::uint32_t); }
  operator std::optional<std::string>() const {
    return octets_ ? std::optional<std::string>(**this) : std::nullopt;
  }

 private:
  std::unique_ptr<char[]> octets_;  // its length, then the text; null: none
};

}  // namespace sluice::base
