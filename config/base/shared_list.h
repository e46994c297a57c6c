#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace sluice::base {

// An immutable list whose copies share their items: what hundreds of thousands of servers say alike
// is kept once. To change it, assign another one. Reads as a const vector does; any thread.
template <class T>
class SharedList {
 public:
  using value_type = T;
  using const_iterator = const T*;

  SharedList() = default;
  SharedList(std::vector<T> items)
      : items_(items.empty() ? nullptr : std::make_shared<const std::vector<T>>(std::move(items))) {
  }
  SharedList(std::initializer_list<T> items) : SharedList(std::vector<T>(items)) {}

  const T* begin() const noexcept { return items_ == nullptr ? nullptr : items_->data(); }
  const T* end() const noexcept { return begin() + size(); }
  std::size_t size() const noexcept { return items_ == nullptr ? 0 : items_->size(); }
  bool empty() const noexcept { return items_ == nullptr; }
  const T& operator[](std::size_t index) const noexcept { return (*items_)[index]; }

  friend bool operator==(const SharedList& left, const SharedList& right) {
    return left.items_ == right.items_ ||
           std::equal(left.begin(), left.end(), right.begin(), right.end());
  }

 private:
  std::shared_ptr<const std::vector<T>> items_;  // null: empty
};

}  // namespace sluice::base
