#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::ctl {

// What the words are written on.
struct Surface {
  std::size_t width = 0;  // columns; 0: no limit (a file, a pipe)
  bool colour = false;
  bool redraw = false;     // a terminal: a line may be written over
  std::size_t height = 0;  // lines; 0: no limit
};

// Of a file descriptor. Colour only on a terminal, and not with NO_COLOR (no-color.org) or
// TERM=dumb.
Surface surface_of(int descriptor);

enum class Tone : std::uint8_t { Plain, Good, Waiting, Bad, Quiet, Strong };

// The text in the tone's colour, where the surface has colours.
std::string toned(std::string_view text, Tone tone, const Surface& surface);

}  // namespace sluice::ctl
