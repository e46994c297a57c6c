#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#include <sys/mman.h>

namespace sluice::base {

// An allocator for tables that are read all over. What is large lies on huge pages (2 MiB, where
// the kernel has them): a read at a random place then costs one miss, not one more for its page's
// translation, and filling 50 MB takes 25 page faults, not 12,800.
template <class T>
struct LargePages {
  using value_type = T;

  LargePages() = default;
  template <class U>
  LargePages(const LargePages<U>&) noexcept {}

  T* allocate(std::size_t count) {
    const std::size_t octets = count * sizeof(T);
    if (octets < kLarge) return static_cast<T*>(::operator new(octets));
    const std::size_t whole = (octets + kPage - 1) / kPage * kPage;
    void* memory = std::aligned_alloc(kPage, whole);
    if (memory == nullptr) throw std::bad_alloc();
    madvise(memory, whole, MADV_HUGEPAGE);  // a wish: without huge pages it works as well
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    if (count * sizeof(T) < kLarge) {
      ::operator delete(memory);
    } else {
      std::free(memory);
    }
  }

  template <class U>
  friend bool operator==(const LargePages&, const LargePages<U>&) noexcept {
    return true;
  }

 private:
  static constexpr std::size_t kPage = std::size_t{2} << 20;
  // Smaller ones would waste more than they win: up to a page at the end.
  static constexpr std::size_t kLarge = 2 * kPage;
};

}  // namespace sluice::base
