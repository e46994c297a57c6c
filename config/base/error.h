#pragma once

#include <string>
#include <vector>

#include "config/base/result.h"

namespace sluice::base {

// A place in a file; line counts from 1, 0 = the file as a whole.
struct Location {
  std::string file;
  int line = 0;

  friend bool operator==(const Location&, const Location&) = default;
};

// One mistake, in the operator's words: what is wrong, where, what would be right.
struct Error {
  Location where;       // empty file: not about a file
  std::string path;     // of the key: "pools[2].servers[0].weight"; may be empty
  std::string message;  // "must be 0..255, is 300"

  friend bool operator==(const Error&, const Error&) = default;
};

// "sluice.yaml:12: pools[0].ttl: must be 0s..7d, is 900d"
std::string to_string(const Error& error);

// One to a line, no newline at the end.
std::string to_string(const std::vector<Error>& errors);

// A failure that is not about a file: the system's or a library's.
inline Unexpected<Error> failure(std::string message) {
  return Unexpected{Error{{}, {}, std::move(message)}};
}

// The system's, of something: "PATH: No such file or directory".
Unexpected<Error> system_failure(const std::string& what, int error_number);

template <class T>
using Checked = Result<T, Error>;

}  // namespace sluice::base
