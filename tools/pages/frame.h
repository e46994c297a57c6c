#pragma once

#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "config/base/error.h"

namespace sluice::pages {

// A manual page is a frame, hand-written mdoc(7), in which lines that begin with @ stand for what
// the declarations say: @synopsis, @options, @commands (mdoc.h); @block and @key (keys.h). Lines
// are wrapped where that means nothing. `program` is that of the page; of a file's page it is null.
base::Checked<std::string> render(std::string_view frame, const std::string& file,
                                  const CLI::App* program);

}  // namespace sluice::pages
