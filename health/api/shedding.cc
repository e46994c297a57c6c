#include "health/api/shedding.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "health/api/problem.h"

namespace sluice::health {

bool is_heavy(const Route& route) noexcept {
  static constexpr std::array<std::string_view, 3> kHeavy{"/v1/pools", "/v1/events", "/v1/backup"};
  return std::ranges::find(kHeavy, route.path) != kHeavy.end();
}

HttpResponse memory_is_short() {
  HttpResponse response =
      problem(503, "memory is short: only what is small is answered; the unix socket has it all");
  // As long as turning clients away lasts at least (tools/sluiced/memory_watch.cc).
  response.fields.emplace_back("Retry-After", "5");
  return response;
}

}  // namespace sluice::health
