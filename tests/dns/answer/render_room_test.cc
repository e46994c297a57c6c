#include "dns/answer/render_room.h"

#include <cstdint>
#include <cstring>

#include "gtest/gtest.h"

namespace sluice::dns {
namespace {

TEST(RenderRoom, TakesAlignedPiecesThatDoNotOverlap) {
  RenderRoom room(3);
  std::vector<std::shared_ptr<std::byte>> pieces;
  for (const std::size_t octets : {1U, 7U, 100U, 24U, 5'000U, 8U}) {
    pieces.push_back(room.take(octets));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pieces.back().get()) % 8, 0U);
    std::memset(pieces.back().get(), static_cast<int>(pieces.size()), octets);
  }
  EXPECT_EQ(*pieces[0], std::byte{1});
  EXPECT_EQ(*pieces[4], std::byte{5});
}

TEST(RenderRoom, GoesWithTheLastPieceOfAChunk) {
  auto room = std::make_unique<RenderRoom>(2);
  const auto first = room->take(80);
  const std::weak_ptr<std::byte> second = room->take(80);
  room.reset();
  EXPECT_FALSE(second.expired()) << "the first piece keeps the chunk that they share";
  std::memset(first.get(), 1, 80);
}

}  // namespace
}  // namespace sluice::dns
