#pragma once

#include <cassert>
#include <utility>
#include <variant>

namespace sluice::base {

// Marks a failure on its way into a Result: `return Unexpected{QueryError::FormErr};`
template <class E>
struct Unexpected {
  E error;
};
template <class E>
Unexpected(E) -> Unexpected<E>;

// A value, or the reason why there is none; the names are std::expected's (C++23).
// Reading the wrong side is a broken invariant (assert), never undefined.
template <class T, class E>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  template <class F>
  Result(Unexpected<F> failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

  explicit operator bool() const noexcept { return has_value(); }
  bool has_value() const noexcept { return state_.index() == 0; }

  T& operator*() & noexcept { return *checked(); }
  const T& operator*() const& noexcept { return *checked(); }
  T&& operator*() && noexcept { return std::move(*checked()); }
  T* operator->() noexcept { return checked(); }
  const T* operator->() const noexcept { return checked(); }

  const E& error() const& noexcept {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }
  E&& error() && noexcept {
    assert(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  T* checked() noexcept {
    assert(has_value());
    return std::get_if<0>(&state_);
  }
  const T* checked() const noexcept {
    assert(has_value());
    return std::get_if<0>(&state_);
  }

  std::variant<T, E> state_;
};

// What a Result holds when success carries nothing: `return Done{};`
using Done = std::monostate;

}  // namespace sluice::base
