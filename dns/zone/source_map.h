#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/base/error.h"

namespace sluice::dns {

// Numbers the lines that a zone is read from, those of included files where they are included, so
// that a record remembers its file and line in one number.
class SourceMap {
 public:
  // Lines of `file` follow, from `line` on: at its beginning, and again when an included file has
  // ended.
  void enter(const std::string& file, int line);

  // The place of a line of the file entered last. REQUIRES: it is none before that given there.
  int place(int line) noexcept;

  base::Location where(int place) const;

 private:
  struct Segment {
    int first = 0;  // place
    int line = 0;   // of the file, at `first`
    std::size_t file = 0;
  };

  std::vector<std::string> files_;
  std::vector<Segment> segments_;
  int next_ = 1;
};

}  // namespace sluice::dns
