#include "tools/sluicectl/render/screen.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <ostream>
#include <vector>

#include <unistd.h>

#include "tools/sluicectl/render/text.h"

namespace sluice::ctl {
namespace {

// xterm's alternate screen (1049), DECTCEM (25): every terminal since the VT220 or a clone of one.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";
// Emptied first: after a change of size tmux lets what does not fit the old one into its history.
constexpr std::string_view kLeave = "\x1b[H\x1b[J\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kEraseLine = "\x1b[K";   // to its end
constexpr std::string_view kEraseBelow = "\x1b[J";  // from here to the screen's end
constexpr std::string_view kPlain = "\x1b[0m";

// Signals that end or stop the process before ~Screen() can be. SIGINT and SIGTERM are waited for
// (interrupt.h).
constexpr std::array kEnds{SIGTSTP, SIGHUP, SIGQUIT, SIGABRT};

// What a signal's handler may call (signal-safety(7)).
void write_terminal(std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t written = write(STDOUT_FILENO, octets.data(), octets.size());
    if (written <= 0) return;
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
}

void on_end(int signal) {
  write_terminal(kLeave);
  // With its default again, and let in: it ends or stops the process here.
  std::signal(signal, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  raise(signal);
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  // Only a stop comes back: what is on the screen is drawn again within a look.
  std::signal(signal, on_end);
  write_terminal(kEnter);
}

// The length of the escape sequence that the text begins with; 0: none. Ours are SGR alone.
std::size_t sequence_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const std::size_t end = text.find('m');
  return end == std::string_view::npos ? 0 : end + 1;
}

// `line`, of at most `columns`; what was cut shows as an ellipsis.
std::string cut(std::string_view line, std::size_t columns) {
  std::string bare;
  for (std::string_view rest = line; !rest.empty();) {
    if (const std::size_t sequence = sequence_length(rest)) {
      rest.remove_prefix(sequence);
    } else {
      bare += rest.front();
      rest.remove_prefix(1);
    }
  }
  if (display_width(bare) <= columns) return std::string(line);
  // As much of it as there is room for, its colours in their places.
  const std::string shown = fit(bare, columns);
  constexpr std::size_t kEllipsisOctets = 3;
  std::size_t left = shown.size() - std::min(shown.size(), kEllipsisOctets);
  std::string text;
  for (std::string_view rest = line; left > 0;) {
    const std::size_t sequence = sequence_length(rest);
    text += rest.substr(0, sequence == 0 ? 1 : sequence);
    rest.remove_prefix(sequence == 0 ? 1 : sequence);
    if (sequence == 0) --left;
  }
  text += shown.substr(shown.size() - std::min(shown.size(), kEllipsisOctets));
  return bare.size() == line.size() ? text : text + std::string(kPlain);
}

}  // namespace

std::string picture(std::string_view text, const Surface& surface) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const bool all = surface.height == 0 || lines.size() <= surface.height;
  const std::size_t shown = all ? lines.size() : surface.height - 1;
  std::string drawn;
  for (std::size_t at = 0; at < shown; ++at) {
    if (at > 0) drawn += '\n';
    drawn += surface.width == 0 ? std::string(lines[at]) : cut(lines[at], surface.width);
  }
  if (all) return drawn;
  if (shown > 0) drawn += '\n';
  const std::string more = std::to_string(lines.size() - shown) + " more lines are not shown";
  return drawn +
         toned(fit(more, surface.width == 0 ? more.size() : surface.width), Tone::Waiting, surface);
}

Screen::Screen(std::ostream& stream) : stream_(stream) {
  for (const int signal : kEnds) std::signal(signal, on_end);
  stream_ << kEnter << std::flush;
}

Screen::~Screen() {
  for (const int signal : kEnds) std::signal(signal, SIG_DFL);
  stream_ << kLeave << std::flush;
}

void Screen::draw(std::string_view text, const Surface& surface) {
  std::string frame(kHome);
  for (const char octet : picture(text, surface)) {
    if (octet == '\n') {
      frame += kEraseLine;
      frame += '\r';
    }
    frame += octet;
  }
  frame += kEraseLine;
  frame += kEraseBelow;
  stream_.write(frame.data(), static_cast<std::streamsize>(frame.size())).flush();
}

}  // namespace sluice::ctl
