#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/value.h"

namespace sluice::config {

// A list of where servers listen, in its order (check_authority_url), each once; `each` sees every
// good one with its place. What is wrong stands in the value's Findings; so does `none`, which says
// what there must be, should the list be empty.
std::vector<std::string> read_urls(
    const Value& value, const char* none,
    const std::function<void(const Value&, const std::string&)>& each);

}  // namespace sluice::config
