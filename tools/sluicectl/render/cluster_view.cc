#include "tools/sluicectl/render/cluster_view.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "tools/sluicectl/render/table.h"
#include "tools/sluicectl/render/text.h"
#include "tools/sluicectl/render/words.h"

namespace sluice::ctl {
namespace {

std::string state_words(const Cluster& cluster) {
  if (cluster.state == "deciding") return "deciding";
  if (cluster.state == "following") {
    return cluster.decider.empty() ? "following, nobody decides at present"
                                   : "following, " + cluster.decider + " decides";
  }
  if (cluster.state == "cut-off") return "cut off from the cluster's store";
  if (cluster.state == "alone") return "alone: the cluster's store was not reached since the start";
  return cluster.state;  // of a newer authority
}

std::string note(const std::string& text, Tone tone, const Surface& surface) {
  return toned(wrapped(text, surface.width, 0), tone, surface);
}

// "+0.02 s": to a hundredth, since what is measured by way of the store is no better.
std::string offset_words(const std::optional<double>& seconds) {
  if (!seconds) return "";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%+.2f s", *seconds);
  return text.data();
}

// Beyond it somebody's clock is wrong, and with it times in holds and audits.
constexpr double kClockLimit = 1.0;

// Who is cut off answers, but is not alive to the others, and does not know who of them is.
Cell alive(const ClusterResponder& each, bool stale) {
  if (stale) return {each.self ? "cut off" : "unknown", each.self ? Tone::Bad : Tone::Waiting};
  return {each.alive ? "yes" : "no", each.alive ? Tone::Good : Tone::Bad};
}

Table table(const Cluster& cluster, base::WallTime now) {
  Table rows({{"RESPONDER", true},
              {"ALIVE", false},
              {"DECIDES", false},
              {"GENERATION", false},
              {"BEHIND", false},
              {"UNCONFIRMED SINCE", false},
              {"CLOCK", false},
              {"CONFIGURATION", false}});
  for (const ClusterResponder& each : cluster.responders) {
    const bool late = each.unconfirmed_since.has_value();
    const bool skewed = each.clock_offset && std::abs(*each.clock_offset) > kClockLimit;
    rows.add(
        {each.self ? each.name + " (this)" : each.name,
         alive(each, cluster.stale),
         each.decides ? "yes" : "no",
         std::to_string(each.generation),
         {std::to_string(each.behind), each.behind == 0 ? Tone::Plain : Tone::Waiting},
         {late ? local_time(*each.unconfirmed_since, now) : "", late ? Tone::Bad : Tone::Plain},
         {offset_words(each.clock_offset), skewed ? Tone::Waiting : Tone::Plain},
         {each.same_configuration ? "same" : "differs",
          each.same_configuration ? Tone::Plain : Tone::Waiting}});
  }
  return rows;
}

// What an operator is to know and do about who has not confirmed, or is lost.
std::string advice(const ClusterResponder& each, base::WallTime now) {
  const bool late = each.unconfirmed_since.has_value();
  if (each.alive || each.self) {
    if (!late) return {};
    return each.name + " is alive and has not confirmed since " +
           local_time(*each.unconfirmed_since, now) +
           ": until then it may answer as before. Its log tells why.";
  }
  const std::string forget =
      " When it will not return: `sluicectl cluster forget " + each.name + "`.";
  if (!late) return each.name + " is lost, with all that is in force." + forget;
  return each.name + " is lost and has not confirmed since " +
         local_time(*each.unconfirmed_since, now) +
         ": where it still runs, cut off, it answers as before." + forget;
}

}  // namespace

std::string cluster_view(const Cluster& cluster, base::WallTime now, const Surface& surface) {
  std::string text = toned(cluster.prefix, Tone::Strong, surface) + "  " + state_words(cluster) +
                     ": generation " + std::to_string(cluster.generation) + ", publication " +
                     std::to_string(cluster.publication) + "\n";
  if (cluster.stale) {
    text += note(stale_words(cluster.stale_since, "", now), Tone::Bad, surface);
  }
  if (!cluster.alarm.empty()) {
    text += note("alarm: " + with_local_times(cluster.alarm, now), Tone::Bad, surface);
  }
  for (const std::string& warning : cluster.warnings) {
    text += note("warning: " + with_local_times(warning, now), Tone::Plain, surface);
  }
  text += table(cluster, now).render(surface);
  // Who is cut off knows nothing of the others, and can forget nobody.
  for (const ClusterResponder& each : cluster.responders) {
    const std::string words = cluster.stale ? "" : advice(each, now);
    if (!words.empty()) text += note(words, Tone::Plain, surface);
  }
  return text;
}

bool is_well(const Cluster& cluster) {
  return !cluster.stale && cluster.alarm.empty() &&
         std::ranges::all_of(cluster.responders, [](const ClusterResponder& each) {
           return each.alive && !each.unconfirmed_since;
         });
}

bool is_confirming(const Cluster& cluster) {
  Cluster confirmed = cluster;
  for (ClusterResponder& each : confirmed.responders) {
    if (each.alive) each.unconfirmed_since.reset();
  }
  return !is_well(cluster) && is_well(confirmed);
}

std::string stale_words(const std::optional<base::WallTime>& since, const std::string& reason,
                        base::WallTime now) {
  std::string words = "stale";
  if (since) words += " since " + local_time(*since, now);
  words += ": it answers by the last state that it had, and takes no orders";
  if (!reason.empty()) words += " (" + with_local_times(reason, now) + ")";
  return words;
}

std::string unconfirmed_words(const std::vector<std::string>& responders, bool held) {
  const bool one = responders.size() == 1;
  std::string words = "not confirmed by " + joined(responders, ", ") + ": " +
                      (one ? "it" : "they") + " may answer as before";
  if (held)
    words +=
        std::string(", and the verdict stays red until ") + (one ? "it confirms" : "they confirm");
  return words + ". " +
         (one ? "`sluicectl cluster` tells about it; when it will not return: "
                "`sluicectl cluster forget " +
                    responders.front() + "`"
              : "`sluicectl cluster` tells about them; one that will not return: "
                "`sluicectl cluster forget NAME`");
}

std::string unconfirmed_advice() {
  return "`sluicectl cluster` tells about responders that have not confirmed; one that will not "
         "return: `sluicectl cluster forget NAME`";
}

}  // namespace sluice::ctl
