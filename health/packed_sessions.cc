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
  std::string octets;
  for (const auto& [name, count] : *sessions) {
    append(octets, static_cast<std::uint32_t>(name.size()));
    octets.append(name);
    append(octets, count);
  }
  octets_ = std::string_view(octets);
  return *this;
}

PackedSessions::operator std::optional<Sessions>() const {
  if (!octets_) return std::nullopt;
  Sessions sessions;
  // In their order: the map need not look for the place.
  each([&](std::string_view name, std::uint64_t count) {
    sessions.emplace_hint(sessions.end(), name, count);
  });
  return sessions;
}

}  // namespace sluice::health
