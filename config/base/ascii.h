#pragma once

// Letters as protocols have them, whatever the locale.
namespace sluice::base {

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

}  // namespace sluice::base
