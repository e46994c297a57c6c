#include "config/base/snapshot.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace sluice::base {
namespace {

TEST(Snapshot, IsTheNewestAtEachRefresh) {
  SnapshotCell<int> cell(std::make_shared<const int>(1));
  SnapshotReader<int> reader(cell);
  EXPECT_EQ(reader.refresh(), 1);
  EXPECT_EQ(reader.publication(), 1U);
  const auto old = cell.publish(std::make_shared<const int>(2));
  EXPECT_EQ(*old, 1);
  EXPECT_EQ(cell.publication(), 2U);
  EXPECT_EQ(reader.publication(), 1U) << "nothing changes under a reader's hand";
  EXPECT_EQ(reader.refresh(), 2);
  EXPECT_EQ(reader.publication(), 2U);
}

TEST(Snapshot, StaysTheSameObjectWhileNothingIsPublished) {
  SnapshotCell<int> cell(std::make_shared<const int>(1));
  SnapshotReader<int> reader(cell);
  const int* first = &reader.refresh();
  EXPECT_EQ(&reader.refresh(), first);
}

TEST(Snapshot, MaySkipPublications) {
  SnapshotCell<int> cell(std::make_shared<const int>(1));
  SnapshotReader<int> reader(cell);
  for (int i = 2; i <= 10; ++i) static_cast<void>(cell.publish(std::make_shared<const int>(i)));
  EXPECT_EQ(reader.refresh(), 10);
  EXPECT_EQ(reader.publication(), 10U);
}

// A picture that knows whether it is whole, and which thread took it down.
struct Picture {
  Picture(std::uint64_t number, std::atomic<int>& strangers)
      : owner(std::this_thread::get_id()), freed_by_strangers(&strangers) {
    parts.fill(number);
  }
  ~Picture() {
    if (std::this_thread::get_id() != owner) freed_by_strangers->fetch_add(1);
    parts.fill(0);
  }
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;

  std::array<std::uint64_t, 64> parts{};
  std::thread::id owner;
  std::atomic<int>* freed_by_strangers;
};

// What one reading thread saw.
struct Seen {
  std::atomic<std::uint64_t> publication{0};  // the grace period waits for it
  std::uint64_t torn = 0;
  std::uint64_t backward = 0;
  std::uint64_t misnumbered = 0;
};

void read_until(const SnapshotCell<Picture>& cell, std::uint64_t last, Seen& seen) {
  SnapshotReader<Picture> reader(cell);
  for (std::uint64_t before = 0; before < last;) {
    const Picture& picture = reader.refresh();
    const std::uint64_t number = picture.parts.front();
    for (const std::uint64_t part : picture.parts) seen.torn += part != number ? 1U : 0U;
    seen.backward += number < before ? 1U : 0U;
    seen.misnumbered += number != reader.publication() ? 1U : 0U;
    before = number;
    seen.publication.store(reader.publication(), std::memory_order_release);
  }
}

// Spinning readers, a writer that publishes without a pause: under the thread sanitizer this is the
// proof of the memory order.
TEST(Snapshot, IsWholeAndNewerEachTimeAndFreedByItsPublisherAlone) {
  constexpr std::uint64_t kLast = 20'000;
  std::atomic<int> freed_by_strangers{0};
  SnapshotCell<Picture> cell(std::make_shared<const Picture>(1, freed_by_strangers));
  std::array<Seen, 2> seen;
  std::vector<std::thread> readers;
  for (Seen& one : seen) readers.emplace_back([&] { read_until(cell, kLast, one); });

  // The publisher's rule: what was replaced by publication N is kept until all have seen N.
  struct Retired {
    std::uint64_t replaced_by;
    std::shared_ptr<const Picture> picture;
  };
  std::deque<Retired> retired;
  const auto oldest_seen = [&] {
    return std::min(seen[0].publication.load(std::memory_order_acquire),
                    seen[1].publication.load(std::memory_order_acquire));
  };
  for (std::uint64_t number = 2; number <= kLast; ++number) {
    retired.push_back(
        {number, cell.publish(std::make_shared<const Picture>(number, freed_by_strangers))});
    while (!retired.empty() && retired.front().replaced_by <= oldest_seen()) {
      EXPECT_EQ(retired.front().picture.use_count(), 1) << "somebody still reads it";
      retired.pop_front();
    }
  }
  for (std::thread& reader : readers) reader.join();
  retired.clear();
  for (const Seen& one : seen) {
    EXPECT_EQ(one.torn, 0U);
    EXPECT_EQ(one.backward, 0U);
    EXPECT_EQ(one.misnumbered, 0U);
    EXPECT_EQ(one.publication.load(), kLast);
  }
  EXPECT_EQ(freed_by_strangers.load(), 0);
}

}  // namespace
}  // namespace sluice::base
