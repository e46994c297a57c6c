#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::etcd {

// A stream that arrives cut anywhere, as the lines that it consists of.
class LineSplitter {
 public:
  void add(std::string_view pieces) { rest_ += pieces; }

  // The next whole line, without its end, and not an empty one.
  std::optional<std::string> next() {
    for (;;) {
      const std::size_t end = rest_.find('\n', searched_);
      if (end == std::string::npos) {
        searched_ = rest_.size();
        return {};
      }
      std::string line = rest_.substr(0, end);
      rest_.erase(0, end + 1);
      searched_ = 0;
      if (!line.empty()) return line;
    }
  }

  // Octets of a line whose end has not come.
  std::size_t pending() const noexcept { return rest_.size(); }
  void clear() { *this = {}; }

 private:
  std::string rest_;
  std::size_t searched_ = 0;  // of it, without an end
};

}  // namespace sluice::etcd
