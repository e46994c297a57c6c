#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "health/store/sqlite.h"
#include "health/stored_words.h"

// Words of the file, read.
namespace sluice::health {

template <class T, std::size_t N>
SqliteResult<T> value(const Words<T, N>& words, std::string_view text) {
  for (const auto& [known, result] : words) {
    if (known == text) return result;
  }
  return base::Unexpected{SqliteError{SQLITE_CORRUPT, "unknown word '" + std::string(text) + "'"}};
}

}  // namespace sluice::health
