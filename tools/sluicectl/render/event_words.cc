#include "tools/sluicectl/render/event_words.h"

#include <cstddef>
#include <vector>

#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {
namespace {

constexpr std::size_t kTypeWidth = std::string_view("authentication").size();  // the longest

Tone tone_of(const Event& event) {
  const std::string& type = event.type;
  if (type == "status") {
    if (event.status == "accepting") return Tone::Good;
    const bool gone = event.status == "down" || event.status == "unknown";
    return gone ? Tone::Bad : Tone::Waiting;
  }
  if (type == "refusal" || type == "authentication" || type == "forbidden" || type == "store") {
    return Tone::Bad;
  }
  if (type == "alarm" || type == "mass-loss" || type == "lease" || type == "reset" ||
      type == "resources") {
    return Tone::Waiting;
  }
  return type == "generation" ? Tone::Quiet : Tone::Plain;
}

// What happened, without who and where.
std::string what(const Event& event, base::WallTime now) {
  std::vector<std::string> parts;
  if (!event.status.empty()) {
    parts.push_back(event.was.empty() ? event.status : event.was + " -> " + event.status);
  }
  if (!event.rule.empty()) parts.push_back("rule " + event.rule);
  // The text of a change of status says the same again.
  if (!event.text.empty() && (parts.empty() || event.text != parts.front())) {
    parts.push_back(with_local_times(event.text, now));
  }
  // A refusal's sentence has its numbers; of others they would be lost.
  if (event.type != "refusal") {
    for (const auto& [name, number] : event.numbers) {
      parts.push_back(name + "=" + std::to_string(number));
    }
  }
  if (event.type == "generation") parts.push_back("generation " + std::to_string(event.generation));
  return joined(parts, ", ");
}

std::string who(const Event& event) {
  std::string words;
  if (!event.by.empty()) words = "by " + event.by;
  if (!event.origin.empty()) words += (words.empty() ? "from " : " from ") + event.origin;
  return words;
}

}  // namespace

std::string event_line(const Event& event, base::WallTime now, const Surface& surface) {
  const std::string time = event.at ? local_time(*event.at, now) : local_time(now, now);
  std::string line = time + "  " + toned(event.type, tone_of(event), surface);
  std::string words = subject_words(event.server, event.server.empty() ? "" : event.service);
  if (const std::string said = what(event, now); !said.empty()) {
    words += (words.empty() ? "" : ": ") + said;
  }
  if (const std::string actor = who(event); !actor.empty()) {
    words += (words.empty() ? "(" : " (") + actor + ")";
  }
  if (words.empty()) return line;
  const std::size_t width = display_width(event.type);
  line.append(width < kTypeWidth ? kTypeWidth - width : 0, ' ').append("  ");
  // On a terminal the words go on below themselves.
  const std::size_t before = time.size() + 2 + std::max(width, kTypeWidth) + 2;
  if (surface.width <= 2 * before) return line + words;
  std::string lines = wrapped(words, surface.width, before, before);
  lines.pop_back();
  return line + lines.substr(before);
}

}  // namespace sluice::ctl
