#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "config/base/large_pages.h"

namespace sluice::dns {

// Room for many sets that are rendered in one go: one behind another, without a heap block for
// each, and on huge pages where there are many. A chunk lives as long as one of its sets; the room
// of sets that were replaced meanwhile is not used again before.
class RenderRoom {
 public:
  // For about that many sets.
  explicit RenderRoom(std::size_t sets) noexcept : chunk_octets_(kUsualSet * sets) {
    if (chunk_octets_ > kMaxChunk) chunk_octets_ = kMaxChunk;
  }

  // Memory for a value of up to 8 octets' alignment. What is put there is not destroyed.
  std::shared_ptr<std::byte> take(std::size_t octets) {
    octets = (octets + kAlign - 1) / kAlign * kAlign;
    if (chunk_ == nullptr || octets > chunk_->size() - used_) {
      chunk_ = std::make_shared<Chunk>(octets > chunk_octets_ ? octets : chunk_octets_);
      used_ = 0;
    }
    std::byte* const at = chunk_->data() + used_;
    used_ += octets;
    return {chunk_, at};
  }

 private:
  using Chunk = std::vector<std::byte, base::LargePages<std::byte>>;
  static constexpr std::size_t kAlign = 8;
  static constexpr std::size_t kUsualSet = 80;  // octets: the head and three A records
  static constexpr std::size_t kMaxChunk = std::size_t{4} << 20;

  std::size_t chunk_octets_;
  std::shared_ptr<Chunk> chunk_;
  std::size_t used_ = 0;
};

}  // namespace sluice::dns
