#pragma once

#include <cstddef>

#include "health/api/http_message.h"

// Open files: how many the process may have, and who may take them.
namespace sluice {

// Raises the soft limit to the hard one. (The soft one, often 1,024, protects programs that use
// select(); we don't.) The limit that is in force then.
std::size_t raise_open_files() noexcept;

// What is left for the API's clients when `dns_clients` TCP connections may be open beside them,
// and a sixteenth is kept for listeners, loops, the store and a reload; a quarter at least. Pure.
health::HttpLimits api_limits(std::size_t open_files, std::size_t dns_clients) noexcept;

}  // namespace sluice
