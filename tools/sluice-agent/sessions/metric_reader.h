#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/base/error.h"

namespace sluice::agent {

// Reads one number out of a page in Prometheus' text format, version 0.0.4, piece by piece: of the
// page no more than one line is kept.
//
// Series match when they have the metric's name and each of the given labels with its value; other
// labels they may have. As in Prometheus a label that is missing is one with an empty value. Those
// that match are added up: a page that counts calls apart by codec means all of them, unless
// `labels` says which.
//
// The number is not known when no series matches, when one of them is negative, not whole or NaN,
// and when any line of the page is not in the format: what is damaged may have lost a series, and
// less than there is could be zero. Line ends may be CRLF; blanks may stand around a line and
// between its parts; comments may say anything; timestamps are read and not used. A series that
// stands twice counts twice: more than there is keeps a server from being stopped.
class MetricReader {
 public:
  // Prometheus' own limit for label values together is far less in practice; a line without an end
  // must not fill the memory.
  static constexpr std::size_t kMaxLine = 65'536;

  MetricReader(std::string metric, const std::map<std::string, std::string>& labels);

  // The next octets of the page.
  void feed(std::string_view octets);
  // The page is over. The format ends each line with a line feed: what has none was cut off.
  base::Checked<std::uint64_t> finish();

 private:
  struct Wanted {
    std::string name;
    std::string value;
    std::optional<std::string> found;  // in the line at hand
  };

  class Cursor;

  void take_line(std::string_view line);
  const char* take_labels(Cursor& cursor);
  void add(std::string_view value);
  void fail(std::string what);

  std::string metric_;
  std::vector<Wanted> labels_;
  std::string rest_;       // of a line whose end has not come yet
  std::string unescaped_;  // kept for its memory
  std::size_t line_ = 1;
  std::size_t matches_ = 0;
  std::uint64_t sum_ = 0;
  std::optional<std::string> failure_;  // the first
};

}  // namespace sluice::agent
