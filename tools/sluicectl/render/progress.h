#pragma once

#include <iosfwd>
#include <string>

#include "tools/sluicectl/render/surface.h"

namespace sluice::ctl {

// Tells how a wait goes: on a terminal one line that is written over, elsewhere (a log) a line at
// each change.
class Progress {
 public:
  Progress(std::ostream& stream, Surface surface) : stream_(stream), surface_(surface) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `line` is what to show now; `state` is what of it is worth a new line in a log (a countdown
  // is not). `brief` takes the place of a line for which the terminal is too narrow; empty: it is
  // cut.
  void show(const std::string& line, const std::string& state, const std::string& brief = {});

  // Takes the redrawn line away, so that something else can be written.
  void clear();

 private:
  std::ostream& stream_;
  Surface surface_;
  bool drawn_ = false;
  std::string last_;
};

}  // namespace sluice::ctl
