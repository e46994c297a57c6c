#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What somebody who mistyped a word meant.
namespace sluice::base {

// Those of `words` that are nearest to `typo`, all alike near, in their order; none: it is another
// word altogether. Takes a microsecond for each word that is long.
std::vector<std::string_view> nearest(std::string_view typo,
                                      const std::vector<std::string_view>& words);

// "; did you mean \"drain\"?", with two or three where they are alike near; empty: no guess.
std::string did_you_mean(std::string_view typo, const std::vector<std::string_view>& words);
// Likewise of what was found already.
std::string did_you_mean(const std::vector<std::string_view>& meant);

}  // namespace sluice::base
