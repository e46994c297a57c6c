#pragma once

#include <string>
#include <string_view>

namespace sluice::base {

// Foreign text for a line that somebody reads on a terminal or by a program: one line, and what is
// read is what is there. Control characters (C1's too: terminals obey them in UTF-8), line and
// paragraph separators, and what turns the reading direction (Unicode's bidirectional controls)
// stand as "\u202e", octets that are no UTF-8 (RFC 3629) as "\xff", a backslash as itself.
std::string escaped(std::string_view text);

// Whether escaped() leaves it as it is.
bool is_plain_line(std::string_view text) noexcept;

}  // namespace sluice::base
