#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/result.h"

namespace sluice::dns {

// One entry of a master file: what stands on a line, or between parentheses on several.
struct MasterFileEntry {
  int line = 0;                          // where it begins, from 1
  bool blank_owner = false;              // the line begins with blanks: the owner is the last one
  std::vector<std::string_view> tokens;  // as written, quotes and escapes included; never empty
};

// Cuts the text of a master file into entries (RFC 1035 section 5.1): comments, quotes, escapes,
// parentheses. Knows no records. The text must outlive it.
class MasterFileScanner {
 public:
  struct Mistake {
    int line = 0;
    std::string_view message;
  };
  // Nothing: the text is at its end.
  using Next = base::Result<std::optional<MasterFileEntry>, Mistake>;

  explicit MasterFileScanner(std::string_view text) noexcept : text_(text) {}

  // After a mistake the next entry begins on the line after it.
  Next next();

 private:
  bool at_end() const noexcept { return at_ == text_.size(); }
  char peek() const noexcept { return text_[at_]; }
  struct Parentheses {
    int open = 0;
    int opened_at = 0;  // the line of the outermost
  };
  void skip_line() noexcept;
  // A blank, a comment, a parenthesis or a token; not the end of a line.
  std::optional<Mistake> read_item(MasterFileEntry& entry, Parentheses& parentheses);
  std::optional<Mistake> read_token(MasterFileEntry& entry);

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace sluice::dns
