#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::ctl {

// Makes foreign text safe to show: what is not UTF-8, and every character that moves a cursor,
// colours, or turns the reading direction, becomes U+FFFD. A newline or tab becomes a blank:
// foreign text stays on its line.
std::string printable(std::string_view text);

// Columns that UTF-8 text takes on a terminal: two for wide characters, none for combining ones.
std::size_t display_width(std::string_view text);

// The text, cut so that it takes at most `columns`; what was cut shows as an ellipsis.
std::string fit(std::string_view text, std::size_t columns);

// Prose in lines of at most `columns`, broken at blanks, each with a newline: the first after
// `indent` blanks, the others after `hanging`. 0 columns: one line.
std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent,
                    std::size_t hanging);
// The others after two more.
std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent);

std::string joined(const std::vector<std::string>& parts, std::string_view between);

}  // namespace sluice::ctl
