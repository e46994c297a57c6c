#include "tools/sluicectl/render/progress.h"

#include <ostream>

#include "tools/sluicectl/render/text.h"

namespace sluice::ctl {
namespace {

constexpr const char* kLineAnew = "\r\x1b[K";  // ECMA-48: to the line's start, erase to its end

}  // namespace

void Progress::show(const std::string& whole, const std::string& state, const std::string& brief) {
  const bool narrow = surface_.redraw && display_width(whole) >= surface_.width;
  const std::string& line = narrow && !brief.empty() ? brief : whole;
  const std::string& compared = surface_.redraw ? line : state;
  if (compared == last_) return;
  last_ = compared;
  if (surface_.redraw) {
    // One column less: a line that fills the last one wraps on some terminals.
    stream_ << kLineAnew << fit(line, surface_.width - 1) << std::flush;
    drawn_ = true;
  } else {
    stream_ << line << std::endl;  // flushed: somebody may follow the log
  }
}

void Progress::clear() {
  if (drawn_) stream_ << kLineAnew << std::flush;
  drawn_ = false;
  last_.clear();
}

}  // namespace sluice::ctl
