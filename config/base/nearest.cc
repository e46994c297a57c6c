#include "config/base/nearest.h"

#include <algorithm>
#include <array>

namespace sluice::base {
namespace {

// Our own words have at most 22 letters, names of servers more; what is far longer is no typo.
constexpr std::size_t kLongestTypo = 64;
// More are no guess.
constexpr std::size_t kMostGuesses = 3;

// Letters to add, drop, change or swap with the next (the typing mistakes) to come from `a` to `b`.
std::size_t edits(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, kLongestTypo + 1>, 3> rows{};
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    const auto& before_last = rows[(i + 1) % 3];
    const auto& last = rows[(i + 2) % 3];
    auto& row = rows[i % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, changed});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return rows[a.size() % 3][b.size()];
}

}  // namespace

std::vector<std::string_view> nearest(std::string_view typo,
                                      const std::vector<std::string_view>& words) {
  std::vector<std::string_view> best;
  if (typo.size() > kLongestTypo) return best;
  // A third of the letters wrong is a typo, more is another word.
  std::size_t fewest = std::max<std::size_t>(typo.size() / 3, 1);
  for (const std::string_view word : words) {
    if (word.size() > kLongestTypo) continue;
    const std::size_t count = edits(typo, word);
    if (count > fewest) continue;
    if (count < fewest) best.clear();
    fewest = count;
    if (std::ranges::find(best, word) == best.end()) best.push_back(word);
  }
  return best;
}

std::string did_you_mean(std::string_view typo, const std::vector<std::string_view>& words) {
  return did_you_mean(nearest(typo, words));
}

std::string did_you_mean(const std::vector<std::string_view>& meant) {
  if (meant.empty() || meant.size() > kMostGuesses) return {};
  std::string hint = "; did you mean ";
  for (std::size_t at = 0; at < meant.size(); ++at) {
    if (at > 0) hint += at + 1 == meant.size() ? " or " : ", ";
    hint.append("\"").append(meant[at]).append("\"");
  }
  return hint + "?";
}

}  // namespace sluice::base
