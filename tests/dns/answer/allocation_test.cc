// respond() allocates nothing. Counted by replacing operator new, which the sanitizers do
// themselves: in their builds there is nothing here.
#if defined(__has_feature)
#define SLUICE_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SLUICE_SANITIZED 0
#endif

#if !SLUICE_SANITIZED

#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "tests/dns/answer/asking.h"

namespace {
std::atomic<std::size_t> allocations = 0;
}  // namespace

// Counted in the whole test program; read around respond() alone. (Inlined, g++ takes free() for a
// mismatch.)
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* block) noexcept {
  std::free(block);
}
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}

namespace sluice::dns {
namespace {

void expect_none(config::Order order, unsigned size) {
  config::Config config = fixture::pool_config(40);
  config.pools[0].order = order;
  config.pools[0].answer_size = size;
  fixture::Serving serving(config);
  const ServingSnapshot& snapshot = fixture::now(serving);
  fixture::Octets room(kMaxMessageOctets);
  for (const fixture::Question& question : fixture::questions()) {
    const fixture::Octets query = fixture::to_wire(question);
    for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
      const std::size_t before = allocations;
      const Answered answered = respond(snapshot, {.transport = transport}, query, room);
      ASSERT_EQ(allocations - before, 0U) << question.name << " " << question.type;
      ASSERT_GT(answered.size, 0U);
    }
  }
  EXPECT_GT(allocations.load(), 0U) << "the count counts";
}

TEST(RespondAllocation, IsNone) {
  expect_none(config::Order::Rotate, 0);
}

TEST(RespondAllocation, IsNoneWhereChanceDecides) {
  expect_none(config::Order::Random, 0);
  expect_none(config::Order::Weighted, 30);
  expect_none(config::Order::Fixed, 3);
}

}  // namespace
}  // namespace sluice::dns

#endif
