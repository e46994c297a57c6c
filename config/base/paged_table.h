#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <memory>
#include <vector>

namespace sluice::base {

// A table of shared immutable values in two levels, for pictures that follow each other and differ
// in little: a copy shares everything, and set() copies one page and the spine. (A flat table of
// 800,000 shared pointers takes 6.6 ms to copy, this one 3,125 page pointers.) A published table is
// only read; set() is for the writer's unpublished copy.
template <class T>
class PagedTable {
 public:
  static constexpr std::size_t kPage = 256;  // page copy and spine copy cost alike at 65,536 values

  PagedTable() = default;
  explicit PagedTable(std::size_t size) : size_(size), pages_((size + kPage - 1) / kPage) {}

  std::size_t size() const noexcept { return size_; }

  // Null until set. The reference lives as long as this table or a copy that shares the page.
  const T* find(std::size_t index) const noexcept {
    assert(index < size_);
    const Page* page = pages_[index / kPage].get();
    return page == nullptr ? nullptr : (*page)[index % kPage].get();
  }

  // Fetches the place of a value into the caches, for a find() soon.
  void fetch(std::size_t index) const noexcept {
    const Page* page = pages_[index / kPage].get();
    if (page != nullptr) __builtin_prefetch(&(*page)[index % kPage]);
  }

  // For a value that is known to be there.
  const T& operator[](std::size_t index) const noexcept {
    const T* value = find(index);
    assert(value != nullptr);
    return *value;
  }

  std::shared_ptr<const T> share(std::size_t index) const {
    assert(index < size_);
    const Page* page = pages_[index / kPage].get();
    return page == nullptr ? nullptr : (*page)[index % kPage];
  }

  void set(std::size_t index, std::shared_ptr<const T> value) {
    assert(index < size_);
    std::shared_ptr<const Page>& slot = pages_[index / kPage];
    // A page that only this table holds was made by an earlier set() of the same writer. (That
    // holds since only the writer's thread makes and drops copies of unpublished pages.)
    if (slot != nullptr && slot.use_count() == 1) {
      const_cast<Page&>(*slot)[index % kPage] = std::move(value);
      return;
    }
    auto page = slot == nullptr ? std::make_shared<Page>() : std::make_shared<Page>(*slot);
    (*page)[index % kPage] = std::move(value);
    slot = std::move(page);
  }

 private:
  using Page = std::array<std::shared_ptr<const T>, kPage>;

  std::size_t size_ = 0;
  std::vector<std::shared_ptr<const Page>> pages_;
};

}  // namespace sluice::base
