#include "tools/sluicectl/render/surface.h"

#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

namespace sluice::ctl {
namespace {

// Terminals that do not tell their size, such as serial lines, have had this many since the VT100.
constexpr std::size_t kUntoldWidth = 80;
constexpr std::size_t kUntoldHeight = 24;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// ECMA-48 select graphic rendition.
std::string_view sequence(Tone tone) {
  switch (tone) {
    case Tone::Plain:
      return "";
    case Tone::Good:
      return "\x1b[32m";
    case Tone::Waiting:
      return "\x1b[33m";
    case Tone::Bad:
      return "\x1b[31m";
    case Tone::Quiet:
      return "\x1b[2m";
    case Tone::Strong:
      return "\x1b[1m";
  }
  return "";
}

}  // namespace

Surface surface_of(int descriptor) {
  if (isatty(descriptor) == 0) return {};
  Surface surface;
  winsize size{};
  const bool told = ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  surface.width = told ? size.ws_col : kUntoldWidth;
  surface.height = told && size.ws_row > 0 ? size.ws_row : kUntoldHeight;
  surface.redraw = environment("TERM") != "dumb";
  surface.colour = surface.redraw && environment("NO_COLOR").empty();
  return surface;
}

std::string toned(std::string_view text, Tone tone, const Surface& surface) {
  if (!surface.colour || tone == Tone::Plain || text.empty()) return std::string(text);
  return std::string(sequence(tone)).append(text).append("\x1b[0m");
}

}  // namespace sluice::ctl
