#pragma once

#include <memory>

namespace sluice::base {

// A value that most have at its default: takes a pointer's room until somebody edits it. Reads of
// an unedited one show a default T that all share.
template <class T>
class Rare {
 public:
  const T& operator*() const noexcept { return value_ == nullptr ? unedited() : *value_; }
  const T* operator->() const noexcept { return &**this; }
  explicit operator bool() const noexcept { return value_ != nullptr; }  // edited

  T& edit() {
    if (value_ == nullptr) value_ = std::make_unique<T>();
    return *value_;
  }

 private:
  static const T& unedited() noexcept {
    static const T kUnedited{};
    return kUnedited;
  }

  std::unique_ptr<T> value_;
};

}  // namespace sluice::base
