#include "health/api/limit.h"

#include <charconv>
#include <string>

#include "health/api/problem.h"

namespace sluice::health {
namespace {

constexpr std::size_t kUsual = 200;  // a screen or two of what is asked for at three in the morning
constexpr std::size_t kMost = 1'000;  // some 400 KB of a history, more names than anybody reads

}  // namespace

base::Result<std::size_t, HttpResponse> read_limit(const Exchange& exchange) {
  const std::string* text = exchange.parameter("limit");
  if (text == nullptr) return kUsual;
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), limit);
  const bool whole = error == std::errc{} && end == text->data() + text->size();
  if (!whole || limit < 1 || limit > kMost) {
    return base::Unexpected{bad_member("limit", "must be 1.." + std::to_string(kMost))};
  }
  return limit;
}

}  // namespace sluice::health
