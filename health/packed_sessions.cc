#include "health/packed_sessions.h"

#include <string>

namespace sluice::health {
namespace {

template <class Number>
void append(std::string& octets, Number number) {
  octets.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

PackedSessions& PackedSessions::operator=(const std::optional<Sessions>& sessions) {
  if (!sessions) {
    octets_.reset();
    return *this;
  }
  if (octets_ && overwrite(*sessions)) return *this;
  std::string octets;
  for (const auto& [name, count] : *sessions) {
    append(octets, static_cast<std::uint32_t>(name.size()));
    octets.append(name);
    append(octets, count);
  }
  octets_ = std::string_view(octets);
  return *this;
}

// The counters are nearly always those of before, with other values.
bool PackedSessions::overwrite(const Sessions& sessions) {
  auto counter = sessions.begin();
  bool same = true;
  each([&](std::string_view name, std::uint64_t) {
    same = same && counter != sessions.end() && counter->first == name;
    if (same) ++counter;
  });
  if (!same || counter != sessions.end()) return false;
  char* at = octets_.data();
  for (const auto& [name, count] : sessions) {
    at += sizeof(std::uint32_t) + name.size();
    std::memcpy(at, &count, sizeof count);
    at += sizeof count;
  }
  return true;
}

PackedSessions::operator std::optional<Sessions>() const {
  if (!octets_) return std::nullopt;
  Sessions sessions;
  each([&](std::string_view name, std::uint64_t count) { sessions[name] = count; });
  return sessions;
}

}  // namespace sluice::health
