#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>

#include "tools/sluicectl/render/surface.h"

namespace sluice::ctl {

// The text as it stands on a screen of that size: lines that are too long are cut (colours count
// nothing), and where there are too many the last line says how many are not shown. Without a
// newline at the end.
std::string picture(std::string_view text, const Surface& surface);

// A terminal as a picture that is drawn over in place, beside what the user had on it: the
// alternate screen, which is left at the end, without a cursor. However the program ends, by a
// signal or a broken assertion too, and while it is stopped (Ctrl-Z), the terminal is as it was.
// One at a time.
class Screen {
 public:
  // `stream` is a terminal.
  explicit Screen(std::ostream& stream);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // In one piece, each line over the old one: nothing flickers.
  void draw(std::string_view text, const Surface& surface);

 private:
  std::ostream& stream_;
};

}  // namespace sluice::ctl
