#include "health/packed_sessions.h"

#include <cstring>
#include <string>

namespace sluice::health {
namespace {

template <class Number>
void append(std::string& octets, Number number) {
  octets.append(reinterpret_cast<const char*>(&number), sizeof number);
}

// REQUIRES: `octets` begins with one.
template <class Number>
Number take(std::string_view& octets) {
  Number number = 0;
  std::memcpy(&number, octets.data(), sizeof number);
  octets.remove_prefix(sizeof number);
  return number;
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
  for (std::string_view octets = *octets_; !octets.empty();) {
    const auto size = take<std::uint32_t>(octets);
    std::string name(octets.substr(0, size));
    octets.remove_prefix(size);
    // In their order: the map need not look for the place.
    sessions.emplace_hint(sessions.end(), std::move(name), take<std::uint64_t>(octets));
  }
  return sessions;
}

}  // namespace sluice::health
