#pragma once

#include <cstdint>
#include <string>

#include "config/base/error.h"

// Which boot of the machine this is: monotonic clocks go on from process to process within one.
namespace sluice::base {

// The kernel's name of it, a UUID.
Checked<std::string> read_boot_id();

// The same as a number, for comparisons; 0: not known. Read once. Any thread.
std::uint64_t boot_number();

}  // namespace sluice::base
